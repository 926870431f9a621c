// The terminal has been made by now: keys go to it without a click first.
window.addEventListener("load", () => document.querySelector(".xterm-helper-textarea")?.focus());
