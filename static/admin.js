// What the pages that manage enhance themselves with. Everything works without it: texts to be copied
// are selected by a click.

const copyButtons = (root) => {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard || button.dataset.ready) continue;
    button.dataset.ready = "yes";
    button.hidden = false;
    const words = button.querySelector("span");
    const before = words.textContent;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        words.textContent = "Copied";
      } catch {
        words.textContent = "Select it and copy";
      }
      setTimeout(() => { words.textContent = before; }, 2500);
    });
  }
};

// "As many days as you write" is chosen by writing.
const choices = (root) => {
  const days = root.querySelector("#days");
  days?.addEventListener("input", () => {
    const radio = root.querySelector('input[name="take_from"][value="days"]');
    if (radio) radio.checked = true;
  });
};

// Tells the server whether the signature comes from the editor or was typed as plain text.
const editors = (root) => {
  for (const mark of root.querySelectorAll('input[name="edited_with"]')) {
    mark.form.addEventListener("submit", () => {
      mark.value = mark.form.querySelector(".editor-text") ? "editor" : "";
    });
  }
};

copyButtons(document);
choices(document);
editors(document);
document.addEventListener("htmx:load", (event) => {
  copyButtons(event.detail.elt);
  choices(event.detail.elt);
});
