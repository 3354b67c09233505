// The reply editor: Squire over the form's text area. Without it the text area is the form's value;
// with it both are sent, and the server takes the HTML.

const TOOLS = [
  ["bold", "Bold", "bold", "removeBold", "B"],
  ["italic", "Italic", "italic", "removeItalic", "I"],
  ["underline", "Underline", "underline", "removeUnderline", "U"],
  ["list", "Bulleted list", "makeUnorderedList", "removeList", "UL"],
  ["list-ordered", "Numbered list", "makeOrderedList", "removeList", "OL"],
  ["text-quote", "Quotation", "increaseQuoteLevel", "decreaseQuoteLevel", "BLOCKQUOTE"],
];

const clean = (html) =>
  window.DOMPurify.sanitize(html, {
    ALLOW_UNKNOWN_PROTOCOLS: true,
    WHOLE_DOCUMENT: false,
    RETURN_DOM: true,
    RETURN_DOM_FRAGMENT: true,
    FORBID_TAGS: ["style", "form", "input", "img", "svg", "math"],
    FORBID_ATTR: ["class", "id", "style"],
  });

const fromText = (text) => {
  const holder = document.createElement("div");
  for (const line of text.split("\n")) {
    const block = document.createElement("div");
    if (line) block.textContent = line;
    else block.append(document.createElement("br"));
    holder.append(block);
  }
  return holder.innerHTML;
};

const button = (sprite, icon, label) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet small";
  made.title = label;
  made.setAttribute("aria-label", label);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${icon}`);
  svg.append(use);
  made.append(svg);
  return made;
};

export const edit = async (holder) => {
  const area = holder.querySelector("textarea");
  const value = holder.querySelector('input[name="html"]');
  const { default: Squire } = await import(holder.dataset.squire);

  const surface = document.createElement("div");
  surface.className = "editor-text";
  surface.dataset.placeholder = area.placeholder;
  surface.setAttribute("role", "textbox");
  surface.setAttribute("aria-multiline", "true");
  surface.setAttribute("aria-labelledby", "text-label");
  surface.setAttribute("aria-describedby", area.getAttribute("aria-describedby") ?? "");
  if (area.getAttribute("aria-invalid")) surface.setAttribute("aria-invalid", "true");

  const tools = document.createElement("div");
  tools.className = "editor-tools";
  tools.setAttribute("role", "toolbar");
  tools.setAttribute("aria-label", "Formatting");
  holder.prepend(tools);
  area.after(surface);
  area.hidden = true;

  const editor = new Squire(surface, {
    blockTag: "DIV",
    sanitizeToDOMFragment: (html) => document.importNode(clean(html), true),
  });

  for (const [icon, label, set, unset, tag] of TOOLS) {
    const tool = button(holder.dataset.sprite, icon, label);
    tool.setAttribute("aria-pressed", "false");
    tool.addEventListener("click", () => {
      editor[editor.hasFormat(tag) ? unset : set]();
      editor.focus();
    });
    editor.addEventListener("pathChange", () => {
      tool.setAttribute("aria-pressed", String(editor.hasFormat(tag)));
    });
    tools.append(tool);
  }
  const link = button(holder.dataset.sprite, "link", "Link");
  link.addEventListener("click", () => {
    if (editor.hasFormat("A")) {
      editor.removeLink();
      return;
    }
    const address = prompt("Address of the link", "https://")?.trim();
    if (address && /^(https?:|mailto:)\S+$/i.test(address)) editor.makeLink(address);
    editor.focus();
  });
  const plain = button(holder.dataset.sprite, "eraser", "Remove formatting");
  plain.addEventListener("click", () => {
    editor.removeAllFormatting();
    editor.focus();
  });
  tools.append(link, plain);

  const draft = area.dataset.draft;
  const kept = draft && !area.value && !value.value ? sessionStorage.getItem(draft) : null;
  if (value.value) editor.setHTML(value.value);
  else if (holder.dataset.html) editor.setHTML(holder.dataset.html);
  else if (kept) editor.setHTML(kept);
  else if (area.value) editor.setHTML(fromText(area.value));

  const sync = () => {
    const vacant = surface.innerText.trim() === "";
    surface.classList.toggle("vacant", vacant && !surface.querySelector("li, blockquote"));
    value.value = vacant ? "" : editor.getHTML();
    area.value = vacant ? "" : surface.innerText.trimEnd();
    if (!draft) return;
    if (vacant) sessionStorage.removeItem(draft);
    else sessionStorage.setItem(draft, value.value);
  };
  editor.addEventListener("input", sync);
  sync();

  area.form.addEventListener("submit", () => {
    sync();
    if (draft) sessionStorage.removeItem(draft);
  });
  surface.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      area.form.requestSubmit(area.form.querySelector('button[name="then"]'));
    }
  });
  document.getElementById("text-label")?.addEventListener("click", () => editor.focus());
};
