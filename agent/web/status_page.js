// SPDX-License-Identifier: Apache-2.0
// Keeps the status page fresh by fetching it again, and says so where that fails. The page is whole
// without it.
'use strict';
(() => {
  const kEvery = 5000;     // ms between two fetches
  const kPatience = 8000;  // ms for one
  const byId = (id) => document.getElementById(id);
  document.documentElement.classList.add('js');

  // ---- how long ago, by the agent's clock
  let ahead = 0;
  const readClock = () => { ahead = Date.now() - Date.parse(byId('upstreams').dataset.now); };
  const age = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 120) return s + ' s';
    if (s < 7200) return Math.floor(s / 60) + ' min';
    if (s < 172800) return Math.floor(s / 3600) + ' h';
    return Math.floor(s / 86400) + ' days';
  };
  const showAges = () => {
    const now = Date.now() - ahead;
    for (const time of document.getElementsByTagName('time')) {
      const text = age(now - Date.parse(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  };

  // ---- filter
  const filter = byId('filter');
  const applyFilter = () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const section of byId('upstreams').querySelectorAll('section')) {
      let here = 0;
      for (const target of section.querySelectorAll('[data-find]')) {
        target.hidden = !target.dataset.find.toLowerCase().includes(wanted);
        if (!target.hidden) ++here;
      }
      section.hidden = here === 0;
      shown += here;
    }
    byId('nothing').hidden = wanted === '' || shown !== 0;
  };
  filter.addEventListener('input', applyFilter);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== filter && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      filter.focus();
    }
    if (event.key === 'Escape' && document.activeElement === filter) {
      filter.value = '';
      applyFilter();
    }
  });

  // ---- copying a command
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {  // not over plain HTTP from another machine
      getSelection().selectAllChildren(code);
      const copied = document.execCommand('copy');
      if (copied) getSelection().removeAllRanges();
      return copied;
    }
  };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('.copy');
    if (!button) return;
    button.textContent = await copy(button.parentElement.querySelector('code')) ? 'Copied' : 'Selected';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });

  // ---- fresh figures
  const focusable = 'summary, button, a, input';
  const rememberFocus = () => {
    const element = document.activeElement;
    const target = element && element.closest('[data-find]');
    if (!target) return () => {};
    const place = [...target.querySelectorAll(focusable)].indexOf(element);
    return () => {
      const now = byId(target.id);
      const again = now && now.querySelectorAll(focusable)[place];
      if (again) again.focus({ preventScroll: true });
    };
  };
  const takeOver = (fresh) => {
    for (const target of fresh.querySelectorAll('[data-find]')) {
      const before = byId(target.id);
      if (before && 'open' in before && before.open) target.open = true;
    }
  };
  const replace = (page) => {
    const fresh = page.getElementById('upstreams');
    if (!fresh) throw new Error('another page came');
    const top = scrollY;
    const focusAgain = rememberFocus();
    takeOver(fresh);
    byId('upstreams').replaceWith(document.adoptNode(fresh));
    byId('host').replaceWith(document.adoptNode(page.getElementById('host')));
    byId('foot').replaceWith(document.adoptNode(page.getElementById('foot')));
    document.title = page.title;
    const summary = page.getElementById('summary');
    byId('summary').className = summary.className;
    if (byId('summary').textContent !== summary.textContent) {
      byId('summary').textContent = summary.textContent;  // a screen reader says it
    }
    readClock();
    applyFilter();
    focusAgain();
    scrollTo(scrollX, top);
  };
  let answered = Date.now();
  const staleSince = (why) => {
    const stale = byId('stale');
    stale.textContent = 'Old figures: ' + why + ' since ' + new Date(answered).toLocaleTimeString() + '.';
    stale.hidden = false;
  };
  const busyHere = () => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && byId('upstreams').contains(selection.anchorNode);
  };
  const refresh = async () => {
    if (document.hidden || busyHere()) return;
    try {
      const response = await fetch(location.pathname, { cache: 'no-store', signal: AbortSignal.timeout(kPatience) });
      if (!response.ok) {
        staleSince('the agent answers ' + response.status);
        return;
      }
      const text = await response.text();
      if (busyHere()) return;
      replace(new DOMParser().parseFromString(text, 'text/html'));
      answered = Date.now();
      byId('stale').hidden = true;
    } catch (error) {
      staleSince(error.message === 'another page came' ? 'another page came' : 'the agent does not answer');
    }
  };
  const next = async () => {
    await refresh();
    setTimeout(next, kEvery);
  };
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
  readClock();
  setInterval(showAges, 1000);
  setTimeout(next, kEvery);
})();
