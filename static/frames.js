// A message's frame is as tall as its content, so that only the page scrolls. The frame runs no script
// of its own; it is measured from here.

const fit = (frame) => {
  const page = frame.contentDocument;
  const root = page?.documentElement;
  if (!root || !page.body) return;
  const height = Math.ceil(page.body.getBoundingClientRect().bottom + (page.defaultView?.scrollY ?? 0)) + 1;
  // Room for a horizontal scroll bar under wide mail.
  const wide = root.scrollWidth > frame.clientWidth + 1 ? 18 : 0;
  frame.style.height = `${Math.min(height + wide, 20000)}px`;
};

export const frames = (root) => {
  for (const frame of root.querySelectorAll("iframe.mail:not([data-fitted])")) {
    frame.dataset.fitted = "";
    const start = () => {
      const page = frame.contentDocument;
      if (!page?.body || page.URL === "about:blank") return;
      fit(frame);
      new ResizeObserver(() => fit(frame)).observe(page.body);
      page.addEventListener("toggle", () => fit(frame), true);
      page.addEventListener("load", () => fit(frame), true);
    };
    frame.addEventListener("load", start);
    if (frame.contentDocument?.readyState === "complete") start();
  }
};
