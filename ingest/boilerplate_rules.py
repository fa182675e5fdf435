"""Detect lines of a scraped page that belong to the site and not to the story.

The rules cover what publishers' sites have in common, never one site. In doubt a line is story:
boilerplate in a passage is ugly, a missing sentence is a wrong answer.
"""

from __future__ import annotations

import re

from rag.nlp.sentences import SENTENCE_ENDS

# Whole lines, compared in lower case without punctuation at either end.
_LINES = frozenset(
    line.strip()
    for line in re.split(
        r"[|\n]",
        """
    share|share post|share this|share this post|share this article|share this story|share article
    share on facebook|share on twitter|share on x|share on whatsapp|share on linkedin
    |share via email
    share on telegram|share on reddit|share on pinterest|click to share|tweet|facebook|twitter
    whatsapp|telegram|pinterest|linkedin|reddit|instagram|tiktok|email|e-mail|print
    |print this article
    copy link|copy url|link copied|copied|save|save article|bookmark|gift article|like|like this
    like loading|comment|comments|view comments|show comments|hide comments|add a comment
    |no comments
    join the conversation|leave a reply|leave a comment|post a comment|write a comment|reply
    |cancel reply
    subscribe|subscribe now|subscribe here|subscribe today|subscribe to our newsletter|sign up
    |sign up now
    sign up here|sign in|log in|login|register|newsletter|newsletters|our newsletter|email address
    your email|your email address|enter your email|enter your email address|submit
    |thank you for subscribing
    popular|popular now|popular posts|popular articles|popular stories|popular news|most popular
    |most read
    most viewed|most shared|most commented|trending|trending now|trending stories|editors picks
    |editor's picks
    editors' picks|editor’s picks|editors’ picks|top stories|top news|latest|latest news
    |latest stories
    latest articles|latest posts|recent posts|recent articles|must read|must reads|must watch
    |don't miss
    don’t miss|related|related articles|related stories|related posts|related news|related topics
    related content|related links|related coverage|related video|related videos|more like this
    more from this author|more from author|more from this section|more stories|more news
    |more on this story
    more on this topic|you may also like|you might also like|you might like|you may like
    |recommended
    recommended for you|recommended stories|recommended reading|read next|up next|next up
    |read more|read also
    also read|continue reading|keep reading|see also|see more|show more|load more|view more
    |learn more
    view all|see all|read full story|read the full story|click here|more|watch now|watch live
    |watch|listen
    listen to this article|play|play video|replay|replay more videos|more videos|advertisement
    |advertisements
    advertising|ad|ads|sponsored|sponsored content|promoted|promoted content|paid content
    |partner content
    story continues below|story continues below advertisement
    |article continues below advertisement
    article continues after ad|continue reading below|scroll to continue|ad feedback
    |report this ad
    report ad|skip to content|skip to main content|skip advertisement|skip ad|skip|menu|search
    |home|navigation
    main menu|toggle navigation|close|close menu|open menu|back to top|go to top|top|previous|next
    previous article|next article|previous post|next post|previous story|next story|prev
    |about us|contact us
    contact|privacy policy|cookie policy|terms of use|terms of service|terms and conditions
    |advertise with us
    accept|accept all|accept cookies|accept all cookies|reject all|manage cookies|cookie settings
    manage preferences|privacy settings|i agree|got it|follow us|follow us on|follow|tags|tag
    |topics|categories
    category|filed under|date|author|authors|by|updated|published|posted|posted on|source
    |sources|photo|photos
    image|images|photo gallery|gallery|video|videos|credit|caption|hide caption|toggle caption
    |enlarge
    enlarge this image|view gallery|view photos|fullscreen|expand|about the author|author bio
    |loading|reuters
    associated press|the associated press|getty images|getty|afp|ap|epa|shutterstock|file photo
    |file
    all rights reserved|usatoday|usa today|cnn|live updates|live|breaking news
    |please enter your comment
    please enter your name here|please enter your email address here|website|name|email required
    you have entered an incorrect email address|your email address will not be published
    |required fields are marked
    log in to leave a comment|login to comment|log in to comment|turn on desktop notifications
    get notified about breaking news|enable notifications|allow notifications|text size
    |font size|dark mode
    drucken|teilen|kommentare|kommentar|kommentieren|anzeige|werbung|mehr zum thema
    |lesen sie auch|auch interessant
    mehr lesen|weiterlesen|newsletter abonnieren|artikel teilen|merken|vorlesen|zur startseite
    |alle rechte vorbehalten
    publicité|partager|commentaires|lire aussi|à lire aussi|à lire également|sur le même sujet
    |lire la suite
    s'abonner|s’abonner|abonnez-vous|imprimer|réagir|articles liés|les plus lus|voir aussi
    publicidad|compartir|comentarios|lea también|lee también|te puede interesar|relacionados
    |noticias relacionadas
    más leídas|lo más leído|suscríbete|suscribirse|imprimir|más información|ver más|seguir leyendo
    реклама|поделиться|комментарии|читайте также|читать далее|подписаться|подпишитесь
    |похожие новости
    новости по теме|по теме|популярное|самое читаемое|версия для печати|материалы по теме
    поділитися|коментарі|читайте також|читати далі|підписатися|популярне|новини за темою
    |матеріали за темою
    관련기사|관련 기사|공유|공유하기|댓글|구독|구독하기|광고|많이 본 뉴스|인기기사|프린트|글자크기
    相关新闻|相关阅读|相关文章|分享|评论|广告|热门|热门文章|推荐阅读|更多|打印|收藏|订阅|延伸阅读
    اقرأ أيضا|اقرأ أيضاً|مشاركة|شارك|تعليقات|إعلان|اشترك|مواضيع ذات صلة|أخبار ذات صلة
    |الأكثر قراءة|طباعة
    """,
    )
    if line.strip()
)
# Headings of link lists, which end at the next line that reads like prose.
LIST_HEADS = frozenset(
    line
    for line in _LINES
    if re.match(
        r"(?:more (?:from|on|like|stories|news)|related|popular|most |trending|editor"
        r"|top stories|top news|"
        r"latest|recent|you m(?:ay|ight)|recommended|read next|up next|must read|don.t miss"
        r"|see also|"
        r"also read|read also|tags|topics|mehr zum|lesen sie|auch inter|à lire|sur le même"
        r"|articles liés|"
        r"les plus|voir aussi|lire aussi|lea tamb|lee tamb|te puede|relacion|noticias rel|más le"
        r"|lo más|читайте|похожие|новости по|по теме|популярн|самое|материал|матеріал|новини"
        r"|관련|많이|인기|相关|推荐|热门|延伸|اقرأ|مواضيع|أخبار|الأكثر)",
        line,
    )
    and line not in ("more", "latest", "top")
)
# Headings of the readers' comments, which go on to the end of the page.
COMMENT_HEADS = re.compile(
    r"\A(?:leave (?:a|your) (?:reply|comment)|post a comment|write a comment|add a comment|(?:\d+"
    r"|no) "
    r"(?:comments?|thoughts|responses)(?: on .*)?|comments? \(\d+\)"
    r"|log ?in to (?:leave a )?comment|"
    r"join the conversation|kommentar(?:e|\sschreiben)|laisser un commentaire"
    r"|deja(?:r)? un comentario|"
    r"добавить комментарий|оставить комментарий|залишити коментар|댓글(?: \d+)?|发表评论)\Z"
)
STORY_BEFORE_COMMENTS = 200  # characters; a page may begin with a link "Leave a comment"

# Patterns matched at the start of a line that contains no quotation.
_LABELS = re.compile(
    r"""(?ix)\A(?:
    (?:read\ more|more|related|related\ (?:story|article|coverage|video|content)s?|see\ also
    |also\ read
      |read\ also|read\ next|learn\ more|more\ on\ this|read|watch|listen|in\ pictures
      |don['’]t\ miss
      |recommended|further\ reading|podcasts?|sign\ up|subscribe|newsletter|graphic|photos|gallery
      |lesen\ sie\ auch|mehr\ zum\ thema|lire\ aussi|à\ lire\ aussi|lea\ también|lee\ también
      |te\ puede\ interesar|читайте\ также|читайте\ також|관련\ ?기사|相关阅读|اقرأ\ أيضاً?|►|▶|>>)
      \s*[:：|►▶>-]
    |(?:photo(?:graph)?s?|image|picture|pic|credit|copyright|caption|foto|bild|illustration)s?
      (?:\ (?:credit|by|courtesy(?:\ of)?|from|via|source))?\s*[:：]
    |(?:tags?|topics?|filed\ under|categor(?:y|ies)|keywords?|schlagworte|mots[- ]clés|etiquetas
    |теги)
      \s*[:：]
    |(?:source|quelle|fuente|источник|джерело|출처|来源)s?\s*[:：]\ *[^.]{2,50}$
    |(?:contributing|contributors?)\s*[:：]|from\ .{0,40}\b(?:staff|wire)\ (?:and\ wire\ )?reports$
    |(?:share|tweet|follow)\s+(?:this|us|on)\b
    |home\s*[>›»/|]
    |\d+\s*(?:shares?|comments?|views?|likes?|min(?:ute)?s?\ read|min\.?\ read)$
    |(?:published|updated|posted|last\ updated|date|time)\s*+(?:[:：]\s*+)?(?:on\ )?[-–|]?$)
    """
)
_CREDITS = re.compile(
    r"""(?ix)\A(?:
    (?:[^.!?]{1,60}[/|])?\s*(?:via\ |for\ |\()?
    (?:reuters|ap(?:\ photo|\ images)?|associated\ press|afp(?:\ photo)?|getty(?:\ images)?
    |epa(?:-efe)?
      |shutterstock|alamy|zuma(?:\ press)?|bloomberg|xinhua|yonhap|tass|sputnik|imago|dpa
      |picture[ -]alliance
      |anadolu(?:\ agency)?|nurphoto|usa\ today\ (?:network|sports)|wireimage|sipa(?:\ usa)?
      |pa(?:\ wire|\ images)?
      |istock(?:photo)?|unsplash|pool|handout|file(?:\ photo)?)
    (?:\ (?:images?|photos?|press|via|pool|file|news|agency))*(?:[/|,][^.!?]{1,60})?\)?$
    |\(?(?:photo|image|picture|file\ photo|illustration)(?:graph)?\ (?:by|courtesy|credit|from
    |via)\b[^.!?]{2,90}\)?$
    |[^.!?]{2,60}\ via\ (?:getty|reuters|ap|afp|epa)(?:\ images)?$
    |\(?ap\ photo[/:][^.!?]{2,60}\)?$)
    """
)
_CREDIT_MARK = re.compile(r"(?i)[/|(©]|\bvia\b|photo|images?\b|getty|shutterstock|handout")
_COPYRIGHT = re.compile(
    r"(?i)\A(?:(?:©|\(c\)|copyright)\s.{0,200}(?:\d{4}|reserved|permission|llc|inc\b)|"
    r".{0,80}all rights reserved\.?$|this material may not be published|无断转载|무단 ?전재|"
    r".{0,60}\bis an? .{0,40}content partner\b)"
)
_NOTICES = re.compile(
    r"""(?ix)\A(?:
    (?:we|this\ (?:web)?site|our\ (?:web)?site|our\ partners)\b.{0,60}\b(?:uses?\ cookies
    |cookies\ to)
    |by\ (?:clicking|continuing|using|signing\ up|subscribing|submitting|registering|providing)\b
      .{0,120}\b(?:agree|consent|accept|accepting|acknowledge)
    |(?:we|['’‘"]?we['’]?)\ (?:will\ use|includes)\ .{0,80}\b(?:details|information|brands)\b
    |if\ you\ wish\ to\ object\ to\ the\ use\ of\ your\ data
    |(?:please\ )?(?:enable|turn\ on|disable)\ (?:javascript|cookies|your\ ad)
    |your\ browser\ does\ not\ support|video\ player\ was\ slow|.{0,6}how\ relevant\ is\ this\ ad
    |please\ (?:enter\ your\ (?:comment|name|email)|log\ ?in|sign\ in|click\ here|read\ our
    |note\ that\ comments)
    |you\ have\ entered\ an\ incorrect|save\ my\ name,\ email
    |your\ email\ (?:address\ )?will\ not\ be|required\ fields|notify\ me\ of
    |already\ a\ (?:subscriber|member)
    |you\ (?:have|['’]ve)\ (?:\d+|no|reached)\ .{0,30}free\ (?:articles?|stories)
    |you\ must\ be\ logged\ in|this\ (?:article|story|content)\ is\ (?:only\ )?(?:for
    |available\ to)\ subscribers
    |to\ (?:continue|keep)\ reading|want\ to\ read\ more|(?:wir
    |diese\ (?:web)?seite)\ .{0,40}\bcookies
    |.{0,30}\b(?:utilisons|utilise)\ des\ cookies|.{0,30}\b(?:usamos|utiliza(?:mos)?)\ cookies
    |(?:prices\ were\ accurate|purchases\ you\ make\ through|.{0,60}purchases\ you\ make\ through))
    """
)
_CALLS_TO_ACTION = re.compile(
    r"""(?ix)
    \A(?:\W|[a-z]{1,12}+[:：])*
    (?:(?:please\ )?(?:sign\ up|subscribe|get\b|join\b|receive|would\ you\ like\ to\ receive
    |want\b|like\ us
      |follow\b|like\b|download|install|support\b|consider\b|thank\ you\ for|stay\ (?:up|in|on
      |informed|tuned)
      |enjoy\b|start\ your|never\ miss|don['’]t\ miss|become\ a|for\ more\b|keep\ up|check\ out
      |you\ can\ (?:also\ )?(?:get|sign|subscribe)
      |contact\b|reach\b|e-?mail\b|send\b|have\ a\ (?:tip|story|question)|got\ a\ (?:tip|story
      |news)|tips\?
      |read\ more\b|watch\ more|listen\ to|visit\b|click\b|tap\b|the\ .{2,40}\ newsletter
      |these\ articles\ are|if\ your\ day
      |what['’]s\ everyone|this\ (?:story|article|piece)\ (?:first\ |originally\ )?appear
      |a\ version\ of\ this)
      |abonnieren\ sie|melden\ sie|folgen\ sie|abonnez|suivez|inscrivez|recevez|suscríbete
      |suscríbase|síguenos|recibe
      |подписывайтесь|подпишитесь|следите|присоединяйтесь|підписуйтесь|приєднуйтесь|اشترك|تابعونا)
    """
)
_CALL_TARGETS = re.compile(
    r"""(?ix)\b(?:newsletters?|inbox|e-?mail\ (?:alerts?|updates)|notifications"
    r"|our\ (?:free\ )?app\b|push\ alerts
    |(?:on|via)\ (?:twitter|facebook|instagram|tiktok|whatsapp|telegram|youtube|x\b|threads
    |linkedin|google\ news|apple\ news)
    |(?:facebook|whatsapp|telegram)\ (?:page|group|channel)|subscri(?:be|ption|bers?)
    |support(?:ing)?\ (?:our|local|independent|quality)\ journalism
    |our\ (?:latest\ )?(?:podcast|coverage|live\ blog|fact\ check)|(?:print\ edition|ad-free
    |e-?newspaper)
    |канал|соцсет|telegram|newsletter|boletín|infolettre|النشرة)"""
)
_BIO = re.compile(
    r"(?i)\b(?:(?:reach|follow|contact|e-?mail|find)(?:ed)? (?:him|her|them|me|the reporter)\b|"
    r"can be reached\b|(?:\A|[.;] )(?:contact|reach|e-?mail|follow)\b).{0,80}(?:\b\S+@\w"
    r"|[\s(:]@\w|twitter\.com)"
)
_DESK_CREDIT = re.compile(
    r"\A(?:\((?=[^()]*+\)\.?\Z)[^()]*?(?:Reporting|Writing|Editing|Compiled) by [^()]*+\)\.?\Z|"
    r"(?:Additional )?(?:Reporting|Writing|Editing|Compiled) by [^.]{3,200}\Z)"
)
_SPEECH = re.compile(
    r"[”»\"’']\s*+(?:[\w.’'-]{1,40}+\s++){0,5}(?:said|says|told|wrote|asked|added)\b|\b(?:said|says"
    r"|told)\s+\S+"
)
_BOILERPLATE_UP_TO = 450  # characters; a longer paragraph contains story
_ENDS_OF_PROSE = (set(SENTENCE_ENDS) | set('”"')) - set("?？؟…‥")  # a headline may be a question
_LINK_UP_TO = 140  # characters; a longer line under "Related" is prose


def is_boilerplate(line: str, key: str | None = None) -> bool:
    """Return whether a line, or a paragraph on one line, belongs to the site.

    Args:
        line: The line.
        key: `normalize_line(line)`, if the caller has it.
    """
    key = normalize_line(line) if key is None else key
    if not key or key in _LINES:
        return True
    if len(line) > _BOILERPLATE_UP_TO:
        return False
    if _COPYRIGHT.match(line) or _NOTICES.match(line) or _DESK_CREDIT.match(line):
        return True
    if len(line) <= 120 and _CREDIT_MARK.search(line) and _CREDITS.match(line):
        return True
    if _SPEECH.search(line):
        return False
    if _LABELS.match(line) and not (len(line) > _LINK_UP_TO and line[-1] in SENTENCE_ENDS):
        return True
    return bool(_BIO.search(line) or (_CALLS_TO_ACTION.match(line) and _CALL_TARGETS.search(line)))


def normalize_line(line: str) -> str:
    """Return a line in lower case, without punctuation at either end."""
    return line.casefold().strip(" \t.:;,!?…|·•*-–—_+>›»«<#()[]{}\"“”'‘’=~/\\↓↑→←▼▲►▶")


def is_link_line(line: str) -> bool:
    """Return whether a line may be a headline in a list of links: short, and no full sentence."""
    return len(line) <= _LINK_UP_TO and line[-1] not in _ENDS_OF_PROSE
