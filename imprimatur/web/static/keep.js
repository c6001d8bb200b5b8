// Keeps what is typed as a draft while it is typed; without this a button does the same.
const form = document.querySelector("form[data-keep]");
let waiting;
form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(keep, 1000);
});
form?.addEventListener("submit", () => clearTimeout(waiting));

async function keep() {
  const typed = new URLSearchParams(new FormData(form));
  typed.set("act", "keep");
  const told = document.getElementById("kept");
  try {
    const answer = await fetch(location.pathname, { method: "POST", body: typed, headers: { Accept: "application/json" } });
    if (answer.status === 422) {
      // Everything was taken out again.
      told.textContent = "";
      return;
    }
    const kept = answer.ok && (await answer.json()).kept_at;
    told.textContent = kept
      ? `Draft kept at ${new Date(kept).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}. Only you see it; it is not sent.`
      : "The draft could not be kept.";
  } catch {
    told.textContent = "The draft could not be kept.";
  }
}
