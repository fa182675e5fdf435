() => {
  const find = (what, root = document) => root.querySelector(what);
  const findAll = (what, root = document) => [...root.querySelectorAll(what)];
  const narrow = matchMedia('(max-width: 719px)');
  const composer = () => find('#bf-composer');
  const words = () => find('#bf-words')?.dataset ?? {};
  // Gradio shows a replaced element some frames later.
  const whenThere = (what, then, frames = 240) => {
    const there = find(what);
    if (there?.offsetParent) then(there);
    else if (frames) requestAnimationFrame(() => whenThere(what, then, frames - 1));
  };

  // Colours: those of the system, unless the reader chose others.
  const chosen = localStorage.getItem('backfile-theme');
  if (chosen) document.body.classList.toggle('dark', chosen === 'dark');
  const switchTheme = () => {
    const dark = document.body.classList.toggle('dark');
    localStorage.setItem('backfile-theme', dark ? 'dark' : 'light');
  };

  // Gradio's radio buttons have a name each, so arrow keys do not move between them. Those that ask
  // a question when selected stay so: an arrow key would ask on each step.
  const CHOICES = '#bf-order input[type="radio"]';
  const TYPED = 'textarea, select, [contenteditable], input:not([type="radio"], [type="checkbox"])';
  const DAYS = ':is(#bf-after, #bf-before, #bf-asked-on, #bf-written-on)';
  const DATES = `${DAYS} :is(input, textarea)`;
  const LANDMARKS = {'#bf-rail': ['navigation', 'rail'], '#bf-thread': ['region', 'thread'],
                     '#bf-reading': ['complementary', 'reading']};
  const fix = () => {
    for (const input of findAll(CHOICES)) {
      const {id} = input.closest('fieldset');
      if (input.name !== id) input.name = id;  // Gradio resets it on selection
    }
    for (const [place, [role, word]] of Object.entries(LANDMARKS)) {
      const element = find(place);
      if (!element || element.getAttribute('aria-label') === words()[word]) continue;
      element.setAttribute('role', role);
      element.setAttribute('aria-label', words()[word]);
      if (place === '#bf-thread') element.tabIndex = 0;  // scrolls by keyboard
    }
  };

  // A date that can't be read turns its field red, and the chip of its panel.
  const markDates = () => {
    const wrong = findAll('.bf-error[data-wrong]').map((error) => error.dataset.wrong);
    for (const field of findAll(DATES)) {
      const is = wrong.includes(field.value.trim().replace(/\s+/g, ' '));
      if (is) field.setAttribute('aria-invalid', 'true');
      else field.removeAttribute('aria-invalid');
    }
    for (const chip of findAll('.bf-chip')) {
      const {panel} = chip.dataset;
      chip.classList.toggle('bf-wrong', !!find(`#bf-panel-${panel} [aria-invalid="true"]`));
    }
  };

  const votes = new Map();  // by id of the answer
  const markVotes = () => {
    for (const thumb of findAll('.bf-thumb')) {
      const vote = votes.get(thumb.closest('.bf-turn').dataset.id);
      const pressed = String(vote === thumb.dataset.liked);
      if (thumb.ariaPressed !== pressed) thumb.ariaPressed = pressed;
    }
  };

  // Times in the reader's zone; the server writes them in UTC.
  const localTimes = () => {
    for (const time of findAll('time[datetime]:not([data-local])')) {
      time.dataset.local = '';
      const moment = new Date(time.dateTime);
      if (isNaN(moment) || !time.textContent.endsWith('UTC')) continue;  // a day without a time
      time.title = time.textContent;
      time.textContent = moment.toLocaleString(words().locale, {
        day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});
    }
  };

  // The last answer: scroll to a new question, and say a finished answer once.
  const live = document.createElement('div');
  live.className = 'bf-unseen';
  live.id = 'bf-live';
  live.setAttribute('aria-live', 'polite');
  document.body.append(live);
  let shown = '', said = '';
  const follow = () => {
    const last = findAll('.bf-turn').at(-1);
    if (!last) { shown = ''; return; }
    const {id, progress} = last.dataset;
    if (id !== shown) {
      if (shown || progress === 'waiting' || progress === 'growing') {
        requestAnimationFrame(() => find(`#${last.id}`)?.scrollIntoView({block: 'start'}));
      } else {
        said = id;  // restored, not answered now
      }
      shown = id;
    }
    if ((progress === 'done' || progress === 'stopped') && said !== id) {
      said = id;
      const parts = findAll('.bf-status, .bf-lead, .bf-statement, .bf-refused, .bf-notice', last);
      live.textContent = parts.map((part) => part.innerText).join('. ');
    }
  };
  let due = false, bar = null;
  new MutationObserver(() => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      fix();
      markDates();
      markVotes();
      localTimes();
      addCalendars();
      follow();
      const links = find('#bf-banner nav');
      if (links && links !== bar) {  // loaded, or shown again after a change of the archive
        if (!bar) showView(viewOfAddress());
        else showView(document.body.dataset.view);
        bar = links;
      } else if (links && !find('[aria-current]', links)) {
        markView();
      }
    });
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['name']});
  fix();

  // Views: the bar's links show one; the archive's contents are asked for when it is opened.
  const NAMES = ['ask', 'browse', 'check', 'saved', 'archive'];
  const markView = () => {
    for (const link of findAll('#bf-banner nav a')) {
      if (link.dataset.view === document.body.dataset.view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  const showView = (name) => {
    const view = NAMES.includes(name) && (name === 'ask' || find(`nav [data-view="${name}"]`)) ? name : 'ask';
    document.body.dataset.view = view;
    markView();
    if (view !== 'ask') {
      find('#bf-banner header')?.dispatchEvent(new CustomEvent('bf-view', {bubbles: true, detail: {view, query: location.search}}));
    }
  };
  document.addEventListener('bf-show', ({detail}) => showView(detail));
  // Who may add articles begins there if there are none yet.
  const firstView = () => (find('#bf-banner header[data-empty] nav [data-view="archive"]') ? 'archive' : 'ask');
  const viewOfAddress = () => new URLSearchParams(location.search).get('view') ?? firstView();
  // An article is read beside the answers or beside a draft, as its entry of the history says.
  addEventListener('popstate', ({state}) => {
    showView(new URLSearchParams(location.search).get('view') ?? state?.view ?? firstView());
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('#bf-banner nav a[data-view]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (document.body.dataset.view === link.dataset.view) return;
    const {view} = link.dataset;
    history.pushState(null, '', view === 'ask' ? './' : `?view=${view}`);
    showView(view);
    if (['ask', 'check'].includes(view) && document.body.dataset.readIn !== view) closeArticle();
  });

  // A field of a date also has the browser's calendar.
  const addCalendars = () => {
    for (const field of findAll(`${DAYS}:not(:has(.bf-pick))`)) {
      const typed = find('input:not([type="date"]), textarea', field);
      if (!typed) continue;
      const calendar = document.createElement('input');
      calendar.type = 'date';
      calendar.className = 'bf-pick';
      calendar.addEventListener('change', () => {
        typed.value = calendar.value;
        typed.dispatchEvent(new Event('input', {bubbles: true}));
        typed.dispatchEvent(new Event('blur'));
      });
      field.append(calendar);
    }
    for (const calendar of findAll('.bf-pick:not([aria-label])')) {  // the words come later
      if (words().calendar) calendar.setAttribute('aria-label', words().calendar);
    }
  };

  // Panels of the chips
  let opener = null;
  const closePanel = () => {
    if (!composer()?.dataset.panel) return false;
    delete composer().dataset.panel;
    findAll('[data-panel][aria-expanded]').forEach((chip) => { chip.ariaExpanded = 'false'; });
    find(`[data-panel="${opener}"]`)?.focus();
    return true;
  };
  const openPanel = (name) => {
    if (!find('.bf-sheet-close')) {
      const close = document.createElement('button');
      close.type = 'button';
      close.className = 'bf-sheet-close';
      close.textContent = words().close ?? '';
      close.addEventListener('click', closePanel);
      composer().append(close);
    }
    opener = name;
    composer().dataset.panel = name;
    findAll('[data-panel][aria-expanded]').forEach((chip) => {
      chip.ariaExpanded = String(chip.dataset.panel === name);
    });
    find(`#bf-panel-${name} :is(input, button)`)?.focus();
  };

  // The preview of a quotation, and its sentence and card that light up together
  const preview = document.createElement('div');
  preview.id = 'bf-preview';
  preview.setAttribute('role', 'tooltip');
  preview.hidden = true;
  document.body.append(preview);
  const hidePreview = () => { preview.hidden = true; };
  const showPreview = (cite) => {
    const quote = document.createElement('q');
    const source = document.createElement('span');
    quote.textContent = cite.dataset.quote;
    source.textContent = cite.dataset.source;
    quote.dir = source.dir = 'auto';
    preview.replaceChildren(quote, source);
    preview.hidden = false;
    const at = cite.getBoundingClientRect();
    const {width, height} = preview.getBoundingClientRect();
    const above = at.bottom + height + 8 > innerHeight && at.top > height + 8;
    preview.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    preview.style.top = `${above ? at.top - height - 6 : at.bottom + 6}px`;
    cite.setAttribute('aria-describedby', 'bf-preview');
  };
  const light = (card, on) => {
    find(`#${card}`)?.classList.toggle('bf-lit', on);
    findAll(`.bf-cite[href="#${card}"]`).forEach((cite) => {
      cite.closest('.bf-statement, figure, td, li')?.classList.toggle('bf-lit', on);
    });
  };
  const cardOf = (target) => {
    const cite = target.closest?.('.bf-cite');
    return cite ? cite.getAttribute('href').slice(1) : target.closest?.('.bf-card')?.id;
  };
  for (const [enter, leave] of [['mouseover', 'mouseout'], ['focusin', 'focusout']]) {
    document.addEventListener(enter, ({target}) => {
      const card = cardOf(target);
      if (card) light(card, true);
      const cite = target.closest?.('.bf-cite[data-quote]');
      if (cite && !narrow.matches) showPreview(cite);
    });
    document.addEventListener(leave, ({target}) => {
      const card = cardOf(target);
      if (card) light(card, false);
      if (target.closest?.('.bf-cite')) hidePreview();
    });
  }

  // On a phone, a number opens its quotation from the bottom.
  const openQuote = (card) => {
    const dialog = document.createElement('dialog');
    dialog.className = 'bf-dialog bf-cited';
    const copy = card.cloneNode(true);
    copy.removeAttribute('id');
    findAll('[id]', copy).forEach((element) => element.removeAttribute('id'));
    const close = document.createElement('button');
    close.type = 'button';
    close.className = 'bf-quote-close';
    close.textContent = words().close ?? '';
    dialog.append(copy, close);
    dialog.setAttribute('aria-label', find('h3', copy)?.textContent ?? '');
    dialog.addEventListener('click', ({target}) => {
      const pressed = target.closest('[data-card]');
      if (pressed) {
        find(`[data-turn="${pressed.dataset.turn}"][data-card="${pressed.dataset.card}"]`, card).click();
      }
      if (pressed || target === dialog || target === close) dialog.close();
    });
    dialog.addEventListener('close', () => dialog.remove());
    find('#bf-evidence').append(dialog);
    dialog.showModal();
  };

  // `reading.js` opens and closes the article that is being read.
  const closeArticle = () => {
    if (!find('#bf-article .bf-article')) return false;
    document.dispatchEvent(new Event('bf-leave'));
    return true;
  };
  const openCited = (cite) => {
    const [, turn, card] = cite.getAttribute('href').match(/turn-(\d+)-card-(\d+)/) ?? [];
    const detail = {turn, card, address: cite.dataset.address};
    document.dispatchEvent(new CustomEvent('bf-open', {detail}));
  };
  document.addEventListener('click', (event) => {
    const {target} = event;
    const link = target.closest?.('a[href^="#turn-"]');
    // The page has a base URL, so following "#card" would reload it without the query string.
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      hidePreview();
      const wanted = link.getAttribute('href');
      const card = find(wanted);
      if (link.matches('.bf-cite') && card) {
        if (narrow.matches) openQuote(card);
        else openCited(link);
        return;
      }
      closeArticle();
      whenThere(wanted, (there) => {
        location.hash = wanted;
        there.scrollIntoView({block: 'nearest'});
      });
    }
    const skip = target.closest?.('a[href="#bf-question"]');
    if (skip) { event.preventDefault(); find('#bf-question textarea')?.focus(); }
    const pressed = target.closest?.('[data-do]')?.dataset.do;
    if (pressed === 'theme') switchTheme();
    if (pressed === 'print') print();
    if (pressed === 'shortcuts') find('#bf-shortcuts')?.showModal();
    if (pressed === 'rail') document.body.classList.toggle('bf-rail-open');
    else if (!target.closest?.('#bf-rail') || pressed === 'open' || target.closest('#bf-new')) document.body.classList.remove('bf-rail-open');
    const browsed = target.closest?.('[data-do="open-search"]')?.dataset.link;
    if (browsed) {
      history.pushState(null, '', browsed);
      showView('browse');
    } else if (pressed === 'open-search' && document.body.dataset.view !== 'ask') {
      history.pushState(null, '', location.pathname);
      showView('ask');
    }
    if (target.closest?.('#bf-new')) whenThere('#bf-question textarea', (field) => field.focus());
    if (pressed === 'vote') {
      votes.set(target.closest('.bf-turn').dataset.id, target.closest('.bf-thumb').dataset.liked);
      markVotes();
      whenThere('#bf-opinion textarea', (field) => field.focus());
    }
    if (pressed === 'edit') {
      const field = find('#bf-question textarea');
      field.value = target.closest('.bf-turn').querySelector('.bf-asked').textContent;
      field.dispatchEvent(new Event('input', {bubbles: true}));
      field.focus();
    }
    const chip = target.closest?.('.bf-chip')?.dataset.panel;
    if (chip) composer().dataset.panel === chip ? closePanel() : openPanel(chip);
    else if (composer()?.dataset.panel && !target.closest?.('.bf-sheet, .bf-sheet-close, [role="listbox"], .options')) {
      delete composer().dataset.panel;
      findAll('[data-panel][aria-expanded]').forEach((one) => { one.ariaExpanded = 'false'; });
    }
    findAll('details:is(.bf-menu, .bf-coverage)[open]').forEach((menu) => {
      if (!menu.contains(target) || target.closest('.bf-menu > ul button')) menu.open = false;
    });
    if (target.matches?.('dialog')) target.close();
  }, true);

  // The coverage calendar: a cell that has the focus, or was pressed, is also said in words.
  const sayCell = (cell) => {
    const calendar = cell.closest('.bf-calendar');
    const publisher = find('b', cell.closest('[role="row"]')).firstChild.textContent.trim();
    const place = calendar.parentElement.querySelector('.bf-cell');
    if (place) place.textContent = `${publisher}, ${cell.title}`;
    for (const other of findAll('[role="gridcell"][tabindex="0"]', calendar)) other.tabIndex = -1;
    cell.tabIndex = 0;
  };
  const STEPS = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]};
  const moveCell = (cell, key) => {
    const rows = findAll('[role="row"]', cell.closest('.bf-calendar')).map((row) => findAll('[role="gridcell"]', row));
    const row = rows.findIndex((cells) => cells.includes(cell)), at = rows[row].indexOf(cell);
    if (key === 'Home' || key === 'End') return rows[row].at(key === 'Home' ? 0 : -1);
    return STEPS[key] && rows[row + STEPS[key][0]]?.[at + STEPS[key][1]];
  };
  for (const kind of ['focusin', 'click']) {
    document.addEventListener(kind, ({target}) => {
      const cell = target.closest?.('.bf-calendar [role="gridcell"]');
      if (cell) sayCell(cell);
    });
  }

  // Keyboard
  const step = (by) => {
    const shown = find('#bf-article .bf-article');
    if (shown) { find(`[data-step="${by}"]`, shown)?.click(); return; }
    const cards = findAll('.bf-now .bf-card, #bf-checked .bf-card').filter((card) => card.offsetParent);
    const at = cards.findIndex((card) => card.contains(document.activeElement));
    const next = cards[at < 0 ? (by > 0 ? 0 : cards.length - 1) : at + by];
    next?.querySelector('[data-card], [data-open], a')?.focus();
    next?.scrollIntoView({block: 'nearest'});
  };
  const turnInView = () => document.activeElement?.closest?.('.bf-turn') ?? findAll('.bf-turn').at(-1);
  const keys = {
    '/': () => find('#bf-question textarea')?.focus(),
    'n': () => find('#bf-new')?.click(),
    'j': () => step(1),
    'k': () => step(-1),
    '[': () => find('.bf-versions button:first-child:not(:disabled)', turnInView() ?? document)?.click(),
    ']': () => find('.bf-versions button:last-child:not(:disabled)', turnInView() ?? document)?.click(),
    'e': () => {
      const menu = find('.bf-tools .bf-menu', turnInView() ?? document);
      if (menu) { menu.open = true; find('button', menu)?.focus(); }
    },
    '?': () => find('#bf-shortcuts')?.showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      if (!preview.hidden) { hidePreview(); return; }
      const menu = find('details:is(.bf-menu, .bf-coverage)[open]');
      if (menu) { menu.open = false; find('summary', menu).focus(); return; }
      if (document.body.classList.contains('bf-rail-open')) {
        document.body.classList.remove('bf-rail-open');
        find('.bf-menu-button')?.focus();
        return;
      }
      if (!findAll('[role="listbox"]').some((list) => list.checkVisibility()) && closePanel()) return;
      if (!find('dialog[open]')) closeArticle();
      return;
    }
    const cell = document.activeElement?.closest?.('.bf-calendar [role="gridcell"]');
    const next = cell && moveCell(cell, event.key);
    if (next) { event.preventDefault(); next.focus(); return; }
    const bar = document.activeElement?.closest?.('.bf-bars > button');
    if (bar && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      const bars = findAll('.bf-bars > button');
      bars[bars.indexOf(bar) + (event.key === 'ArrowRight' ? 1 : -1)]?.focus();
      event.preventDefault();
      return;
    }
    if (event.target.matches?.(TYPED) || find('dialog[open]')) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
}
