// On a narrow screen the side bar opens over the page; Escape and a click beside it close it.

export const menu = () => {
  const switcher = document.querySelector(".menu");
  if (!switcher) return;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && switcher.open) {
      switcher.open = false;
      switcher.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (switcher.open && !event.target.closest(".menu, .side")) switcher.open = false;
  });
};
