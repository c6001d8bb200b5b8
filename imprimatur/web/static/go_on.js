// Sends the only form of a page on its way; without this its button does the same.
document.querySelector("form[data-go-on]")?.requestSubmit();
