// Says so when a draft could not be saved; everything else works without this.
for (const name of ["htmx:sendError", "htmx:responseError"])
  document.addEventListener(name, (event) => {
    const told = document.getElementById("saved");
    if (told && event.target.id === "proposal") told.textContent = told.dataset.failed;
  });
