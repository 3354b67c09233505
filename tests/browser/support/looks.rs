//! What can be measured of a page's looks: that it fits, that its words can be read, that it is whole.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::browser::Browser;

impl Browser {
    /// Fails when the page is wider than the screen.
    pub(crate) async fn fits(&self, width: u64, what: &str) {
        let found = self.run(WIDER).await;
        let page = found["page"].as_u64().unwrap();
        let mut names = String::new();
        for name in found["names"].as_array().unwrap() {
            let _ = write!(names, "\n  {}", name.as_str().unwrap_or_default());
        }
        assert!(page <= width, "{what} is {page} wide on {width}:{names}");
        assert!(
            names.is_empty(),
            "{what} hides parts beyond {width}:{names}"
        );
    }

    /// Waits until the page has been painted and its frames and pictures have been loaded.
    pub(super) async fn settle(&self) {
        self.client.execute_async(SETTLE, Vec::new()).await.unwrap();
    }

    /// Fails when words are too pale for their ground (WCAG 2.2, 1.4.3).
    pub(crate) async fn readable(&self, what: &str) {
        let found = self.run(PALE).await;
        let pale: Vec<&str> = found
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(pale.is_empty(), "{what} has pale words: {pale:#?}");
    }
}

/// How wide the page is, and what reaches beyond the screen without a scroll bar of its own.
const WIDER: &str = r"
const width = document.documentElement.clientWidth;
const scrolls = (node) => {
  for (let at = node; at && at !== document.body; at = at.parentElement) {
    if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX)) return true;
  }
  return false;
};
const names = [];
for (const node of document.body.querySelectorAll('*')) {
  const box = node.getBoundingClientRect();
  if (box.width > 0 && box.right > width + 1 && !scrolls(node) && names.length < 8) {
    names.push(`${node.tagName}.${node.className}#${node.id} to ${Math.round(box.right)}`);
  }
}
return { page: document.documentElement.scrollWidth, names };
";

/// Calls back once everything in view is there.
const SETTLE: &str = r"
const done = arguments[arguments.length - 1];
const whole = () => document.readyState === 'complete'
  && [...document.images].every((image) => image.complete || image.loading === 'lazy')
  && [...document.querySelectorAll('iframe')].every((frame) => frame.getBoundingClientRect().top > innerHeight
    || frame.contentDocument?.readyState === 'complete' && frame.contentDocument.URL !== 'about:blank');
const look = () => whole() ? requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))) : setTimeout(look, 20);
look();
";

/// Words whose contrast to the ground is less than 4.5, or 3 when they are large.
const PALE: &str = r"
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const parse = (text) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
};
const over = (top, below) => top.slice(0, 3).map((value, at) => value * top[3] + below[at] * (1 - top[3]));
const ground = (node) => {
  const layers = [];
  for (let at = node; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
};
const light = (rgb) => {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const pale = [];
const judge = (style, behind, words, name) => {
  const [one, two] = [light(over(parse(style.color), behind)), light(behind)];
  const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (contrast < (large ? 3 : 4.5)) pale.push(`${contrast.toFixed(2)} ${name} ${words.slice(0, 40)}`);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  const words = walker.currentNode.textContent.trim();
  if (!words || !node.checkVisibility() || node.closest('option, [disabled], .hidden')) continue;
  judge(getComputedStyle(node), ground(node), words, node.className);
}
for (const node of document.querySelectorAll('[placeholder]')) {
  if (node.checkVisibility()) judge(getComputedStyle(node, '::placeholder'), ground(node), node.placeholder, 'placeholder');
}
return pale.slice(0, 10);
";
