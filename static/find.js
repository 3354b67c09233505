// `/` goes to the search box, unless something is being typed.

export const find = () => {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const boxes = [...document.querySelectorAll("[data-find]")];
    const box = boxes.find((one) => one.getClientRects().length > 0);
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
};
