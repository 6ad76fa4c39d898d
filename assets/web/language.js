// The language switch: keeps the choice in a cookie and opens the page again, on the tab that was open.
const TAB = 'zeroshelf-tab', YEAR = 365 * 24 * 3600;

function tabs() { return [...document.querySelectorAll('#tabs [role="tab"]')]; }

element.querySelectorAll('button').forEach(button => {
  const current = button.dataset.language === document.documentElement.lang;
  button.setAttribute('aria-pressed', String(current));
  button.addEventListener('click', () => {
    if (current) return;
    sessionStorage.setItem(TAB, tabs().findIndex(tab => tab.getAttribute('aria-selected') === 'true'));
    document.cookie = `zeroshelf-language=${button.dataset.language}; path=/; max-age=${YEAR}; samesite=lax`;
    const address = new URL(location.href);
    address.searchParams.delete('lang');
    location.replace(address);
  });
});

const left = sessionStorage.getItem(TAB);
sessionStorage.removeItem(TAB);
if (left > 0) {
  const open = tries => {
    if (tabs()[left]) tabs()[left].click();
    else if (tries) setTimeout(open, 50, tries - 1);
  };
  open(100);
}
