// A message's frame is as tall as its content, so that only the page scrolls. The frame runs no script
// of its own; it is measured from here, and what it says of its pictures is said on the page.

// Beyond this a frame scrolls by itself.
const TALLEST = 50_000;

const fit = (frame) => {
  const page = frame.contentDocument;
  const root = page?.documentElement;
  if (!root || !page.body) return;
  const height = Math.ceil(page.body.getBoundingClientRect().bottom + (page.defaultView?.scrollY ?? 0)) + 1;
  frame.style.height = `${Math.min(height, TALLEST)}px`;
};

// Pictures that wait: the page offers to show them, once or always. Only there can a form be sent.
const offer = (frame, page) => {
  const offered = frame.previousElementSibling;
  if (!offered?.matches(".picture-bar")) return;
  const bar = page.getElementById("mailhatch-bar");
  const link = bar?.querySelector("a");
  offered.hidden = !bar;
  if (!bar) return;
  bar.hidden = true;
  offered.querySelector("span").textContent = bar.querySelector("span").textContent;
  const [once, always] = offered.querySelectorAll("button");
  once.hidden = !link;
  always.hidden = !link || bar.dataset.sender?.toLowerCase() !== offered.elements.address.value.toLowerCase();
  once.onclick = () => frame.contentWindow.location.replace(link.href);
};

export const frames = (root) => {
  for (const frame of root.querySelectorAll("iframe.mail:not([data-fitted])")) {
    frame.dataset.fitted = "";
    const start = () => {
      const page = frame.contentDocument;
      if (!page?.body || page.URL === "about:blank") return;
      offer(frame, page);
      fit(frame);
      new ResizeObserver(() => fit(frame)).observe(page.body);
      page.addEventListener("toggle", () => fit(frame), true);
      page.addEventListener("load", () => fit(frame), true);
    };
    frame.addEventListener("load", start);
    if (frame.contentDocument?.readyState === "complete") start();
  }
};
