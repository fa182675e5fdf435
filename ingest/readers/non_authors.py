"""Entries in bylines that aren't people: agencies, desks, roles, photo credits, links."""

from __future__ import annotations

import re

# News agencies, in lower case without "the".
AGENCIES = frozenset(
    name.strip()
    for name in """
    ap|associated press|reuters|afp|agence france-presse|agence france presse|dpa|dpa-afx|
    deutsche presse-agentur|pa|pa media|press association|ansa|adnkronos|agi|efe|agencia efe|xinhua|
    xinhua news agency|新华社|新華社|yonhap|yonhap news|yonhap news agency|연합뉴스|tass|тасс|
    ria novosti|риа новости|interfax|интерфакс|ukrinform|укрінформ|укринформ|unian|уніан|kyodo|
    kyodo news|共同通信|jiji|jiji press|時事通信|pti|press trust of india|ani|ians|uni|upi|apa|ats|
    sda|keystone-sda|keystone|belga|anp|ntb|tt|tt news agency|ritzau|stt|bns|leta|elta|čtk|ctk|tasr|
    pap|mti|agerpres|bta|tanjug|hina|sta|lusa|agência lusa|europa press|notimex|télam|telam|anadolu|
    anadolu agency|anadolu ajansı|aa|dha|iha|mena|wam|spa|qna|kuna|petra|irna|isna|bernama|antara|
    vna|cna|central news agency|中央社|aap|australian associated press|canadian press|sapa|nan|
    bloomberg|bloomberg news|ddp|epd|kna|sid|afx|infobae|getty|getty images|agencies|news agencies|
    agences|agenturen|agencias|agências|agenzie|agentschappen|agencje|агентства|wire|wires|
    wire services|wire reports|wire service|news services|الوكالات|وكالات|وكالة
    """.split("|")
)
# Roles: the last word of a phrase, or the first in languages that put it there.
_ROLE = (
    r"editors?|editor-in-chief|editor-at-large|sub-?editor|correspondents?|reporters?|writers?|"
    r"columnists?|contributors?|journalists?|producers?|presenters?|broadcasters?|commentators?|"
    r"critics?|analysts?|photographers?|photojournalists?|bloggers?|freelancers?|freelance|interns?|"
    r"trainee|anchor|newsreader|strategist|economist|researcher|fellow|lecturer|professor|"
    r"redakteur(?:in)?|redaktor(?:in|ka)?|chefredakteur(?:in)?|korrespondent(?:in|en)?|volontär(?:in)?|"
    r"journalist(?:in|en)?|reporter(?:in)?|autor(?:in)?|redaktör|redaktør|journalistin|"
    r"skribent|medarbejder|toimittaja|muhabiri?|editörü?|yazarı?|gazeteci|dziennikarz|dziennikarka|"
    r"redacteur|redactrice|verslaggever|verslaggeefster|correspondente?|inviat[oa]|giornalista|"
    r"redattore|redattrice|caporedattore|corrispondente|journaliste|rédacteur|rédactrice|"
    r"correspondante?|envoyée? spéciale?|éditorialiste|chroniqueu(?:r|se)|grand reporter|"
    r"periodista|redactora?|corresponsal|enviad[oa] especial|columnista|jornalista|repórter|"
    r"colunista|redatora?|"
    r"корреспондент|журналист(?:ка)?|обозреватель|редактор|кореспондент(?:ка)?|журналіст(?:ка)?|"
    r"novinář(?:ka)?|újságíró|szerkesztő|ziarist|redactor|记者|記者|编辑|編輯|通讯员|特派员|特派員|"
    r"기자|특파원|논설위원|앵커|محرر|مراسل|صحفي|संवाददाता"
)
ROLE = re.compile(rf"(?i)(?<![\w-])(?:{_ROLE})(?![\w-])")
ROLE_AT_END = re.compile(rf"(?i)(?:\A|[ ,])(?:{_ROLE})\Z")
_ROLE_FIRST = re.compile(
    rf"(?i)\A((?:[\w'’-]{{1,20}} ){{0,3}}?)(?:{_ROLE}|korrespondenten|correspondant) ?:? (?=\S+ \S)"
)
# "Bo Yun (Foto)" took the picture; "(Text und Foto)" wrote as well.
_PHOTO_CREDIT_MARK = re.compile(
    r"(?i)\((?:photos?|pictures?|images?|fotos?|bild(?:er)?|fotografie|video|camera|kamera|foto's|"
    r"фото|写真|사진|摄影|مصور)\)"
)
# Words before a role that aren't names.
QUALIFIERS = frozenset(
    """senior chief deputy associate assistant managing executive political foreign diplomatic
    environment environmental health education science technology tech business economics economy
    economic sport sports football culture cultural arts media legal crime home affairs royal
    religion religious travel food fashion defence defense security world national
    international europe european africa asia us uk north south east west middle america americas
    china moscow washington
    brussels london paris berlin social data investigations investigative features feature staff
    special guest contributing former freelance local city news general assignment energy transport
    property money personal finance financial consumer lifestyle entertainment music film theatre
    books weekend sunday night digital online video our the a an own at large and of for regional
    industrial community labour labor parliamentary parliament westminster state county court courts
    police climate housing immigration market markets opinion editorial copy web multimedia audience
    unser unsere von der die politische politischer politisk chef notre nuestro nuestra nosso nossa
    nostro nostra unserem unserer vom onze vår vores наш собственный специальный""".split()
)
_DESKS = (
    r"staff|staff reports?|newsroom|news ?desk|web ?desk|desk|"
    r"editorial(?: board| team| staff| desk)?|"
    r"news (?:team|staff|service|bureau)|bureau|redaktion|redaktionen|onlineredaktion|"
    r"redacción|redação|redazione|(?:la )?rédaction|redacția|редакция|редакція|redakcja|redakce|"
    r"redactie|toimitus|szerkesztőség|haber merkezi|编辑部|編輯部|편집부|온라인뉴스팀|디지털뉴스팀|"
    r"هيئة التحرير|"
    r"sport|team|web team|press office|press release|pressestelle|contributors|guest(?: author)?|"
    r"editors|writers|reporters|bloggers|correspondents|columnists|agencies"
)
_DESK = re.compile(rf"(?i)\A(?:the )?(?:[\w'’.&-]{{1,30}} ){{0,3}}(?:{_DESKS})\Z")
_INSTITUTION = re.compile(
    r"(?i)\A(?:redaktion|redacción|redação|redazione|rédaction|redakcja|redactie|редакция|"
    r"redaktionen) .|\Aspecial (?:to|for)\b|\b(?:university|universit[àéä]t?|universidad|"
    r"hochschule|institute|institut|instituto|college)\b|\b(?:agency|agence|agentur|agencia)\Z"
    rf"|\A(?:{_ROLE}|director|head|dean|chair|host) (?:of|in|at|for|de|der|di|für|à|en|chez|del)\b"
)
_NEWS_BRAND = re.compile(r"\A[A-Z]{2,6} (?:News|Sports?|Business|Politics|Online|Digital)\Z")
# Labels of links next to an author's name, and names of social networks.
_LINK = re.compile(
    r"(?i)\A(?:follow(?: (?:us|me|him|her|them|the author|author))?(?: on .{1,20})?|"
    r"(?:view|see|full|read|show|all|more|my|author|author['’]s)? ?(?:profile|bio|biography|posts|"
    r"articles|stories|more|all|page)(?: (?:from|by|of|about).{0,60})?|google scholar|"
    r"orcid(?: id)?|researchgate|linkedin|twitter|facebook|instagram|threads|bluesky|mastodon|"
    r"telegram|youtube|"
    r"tiktok|x|rss|e-?mail(?: (?:the author|me|us))?|contact(?: .{1,20})?|website|web|homepage|"
    r"about(?: the author)?|subscribe|share|comments?|disclosure statement|"
    r"profil(?: anzeigen)?|zum profil|folgen|mehr|suivre|voir (?:le|son) profil|seguir|ver perfil|"
    r"segui|profilo|подписаться|профиль|follow @.{1,40})\Z"
)
_CREDIT = re.compile(
    r"(?i)(?:\A|(?<=[\s(\[,;|/–—-]))(?:photo(?:graph(?:y|er|s)?|s)?|images?|pictures?|pics?|videos?|"
    r"illustrations?|graphics?|foto(?:s|graf[íi]as?|graf|grafie)?|bild(?:er)?|titelbild|symbolbild|"
    r"crédits?(?: photos?)?|credits?|imagen|imagem|immagine|grafik|beeld|kuvat?|fotó|zdjęci[ea]|"
    r"фото|写真|撮影|摄影|圖|图|사진|صورة|تصوير|תמונה|फोटो)"
    r" ?(?:credits?|courtesy(?: of)?|by|via|from|von|par|por|di|av|af|[:：/©]| - )"
    r"|[©®]|\b(?:ap|afp|epa|reuters|dpa|efe|pa|ansa)[ -](?:photos?|images?|pictures?|foto)\b"
    r"|\b(?:getty|shutterstock|alamy|istock|adobe stock|imago|wikimedia|unsplash|pixabay|handout|"
    r"picture alliance|scanpix|zuma)\b"
)


def without_credit(line: str) -> str:
    """Return a byline up to the start of a photo credit."""
    found = _CREDIT.search(line)
    return line[: found.start()].rstrip(" ,;|/([–—-") if found else line


def is_agency(name: str) -> bool:
    """Return whether a name is a news agency's."""
    bare = name.casefold().strip(" .()").removeprefix("the ")
    return bare in AGENCIES or (
        " " in bare and bare.rpartition(" ")[0] in AGENCIES and _is_part(bare)
    )


def _is_part(bare: str) -> bool:
    return bare.rpartition(" ")[2] in ("staff", "news", "agency", "reporters", "service", "photos")


def is_no_person(name: str) -> bool:
    """Return whether a name isn't a person's: an agency, a desk, a role alone, or a link label."""
    if _PHOTO_CREDIT_MARK.search(name) or _NEWS_BRAND.match(name):
        return True
    if is_agency(name) or _DESK.match(name) or _LINK.match(name) or _INSTITUTION.search(name):
        return True
    return not without_role(name)


def without_role(name: str) -> str:
    """Return a name without the role: "Ida Lund" for "Ida Lund Africa correspondent".

    The result is "" for a role alone.
    """
    first = _ROLE_FIRST.match(name)
    if first and {word.casefold() for word in first.group(1).split()} <= QUALIFIERS:
        name = name[first.end() :] if not name[first.end()].islower() else ""
    found = ROLE_AT_END.search(name)
    if not found:
        return name
    words = name[: found.start()].split()
    known = False
    while words and words[-1].casefold().strip(",'’") in QUALIFIERS:
        words.pop()
        known = True
    if words and not known and len(words) > 2:
        words.pop()  # "Africa", "Velsund": the beat or the place
    return " ".join(words) if len(words) > 1 or (words and not name.isascii()) else ""
