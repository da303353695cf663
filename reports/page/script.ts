/**
 * Conveniences for a page that is complete without them: a theme switch, tips that show at once, and definitions beside
 * what they define.
 */
export const script = `(() => {
  const root = document.documentElement;
  const theme = document.getElementById('theme');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const current = root.dataset.theme || (dark.matches ? 'dark' : 'light');
    root.dataset.theme = current === 'dark' ? 'light' : 'dark';
  });

  for (const button of document.querySelectorAll('.term')) {
    const definition = document.getElementById(button.getAttribute('popovertarget'));
    button.addEventListener('click', () => {
      const at = button.getBoundingClientRect();
      const width = Math.min(400, innerWidth * 0.88);
      definition.style.margin = '0';
      definition.style.left = Math.max(8, Math.min(at.left, innerWidth - width - 12)) + 'px';
      definition.style.top = Math.min(at.bottom + 6, innerHeight - 150) + 'px';
    });
  }

  const tip = document.body.appendChild(document.createElement('div'));
  tip.id = 'tip';
  tip.hidden = true;
  for (const title of document.querySelectorAll('.chart title')) {
    title.parentNode.tip = title.textContent;
    title.remove();
  }
  document.addEventListener('pointermove', (event) => {
    const text = event.target.tip;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
    const below = event.clientY + 16 + tip.offsetHeight < innerHeight;
    tip.style.top = (below ? event.clientY + 16 : event.clientY - tip.offsetHeight - 10) + 'px';
  });
})();`;
