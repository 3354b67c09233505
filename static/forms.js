// Small helps for forms: a choice that acts at once, files checked before they are sent, a note that
// survives a reload, one press of a button that counts once.

const size = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

const checkFiles = (input) => {
  const limit = Number(input.dataset.limit);
  const sum = [...input.files].reduce((all, file) => all + file.size, 0);
  const sentence =
    sum > limit ? `These files are ${size(sum)} together; mail takes up to 25 MB. Send fewer, or a link to them.` : "";
  input.setCustomValidity(sentence);
  const place = document.getElementById("attachments-mistake");
  if (place) place.textContent = sentence;
  input.toggleAttribute("aria-invalid", sentence !== "");
};

export const forms = () => {
  document.documentElement.classList.add("scripted");
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
    if (event.target.matches("input[type=file][data-limit]")) checkFiles(event.target);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5_000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  for (const area of document.querySelectorAll("textarea[data-draft]")) {
    if (area.closest("[data-editor]")) continue;
    const kept = sessionStorage.getItem(area.dataset.draft);
    if (!area.value && kept) area.value = kept;
    area.addEventListener("input", () => sessionStorage.setItem(area.dataset.draft, area.value));
    area.form.addEventListener("submit", () => sessionStorage.removeItem(area.dataset.draft));
  }
};

// A form sent in the background that fails says so where other sentences stand.
export const failures = () => {
  const say = (sentence) => {
    const place = document.getElementById("flash");
    if (!place) return;
    const line = document.createElement("p");
    line.className = "flash flash-bad";
    line.textContent = sentence;
    place.replaceChildren(line);
    place.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig.verb === "get") return;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const words = [...page.querySelectorAll(".card > p")].slice(0, 2).map((line) => line.textContent.trim());
    say(words.join(" ") || "That did not work. Reload the page and try again.");
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.verb === "get") return;
    say("Mailhatch could not be reached, so nothing was changed. Check the connection and try again.");
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // The session has ended: the sign-in page came instead of the part asked for.
    if (new URL(event.detail.xhr.responseURL || location.href).pathname === "/sign-in") {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
};
