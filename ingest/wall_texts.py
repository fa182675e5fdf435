"""Detect texts that are only a registration form, a paywall or a cookie notice.

This is for the text of any article; `ingest.fetch.page_checks` looks at a fetched page as a whole.

Scrapers store a wall's own words as the article. A text counts as a form only if nearly all of its
sentences match; in doubt it is a story.
"""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re

from rag.nlp.sentences import split_sentences

MAX_FORM_CHARACTERS = 2_500  # characters; a longer text contains a story
FORM_SHARE = 0.8  # share of characters in form sentences
MAX_LABEL_CHARACTERS = 30  # characters; a button or field label ("Email", "OK") isn't a sentence

# Phrases a site addresses to its readers. By language: English, German,
# French, Spanish, Italian, Portuguese, Dutch, the Scandinavian ones, Polish, Russian and Ukrainian,
# Korean, Chinese, Japanese.
_FORM = re.compile(
    r"""(?ix)
    (?:create|open|set\ up|register\ for|sign\ (?:up|in)\ (?:for|to|with)|log\ ?in\ (?:to|with))\ (?:a|an|your|my)\ (?:new\ |free\ )*(?:account|profile)
    |already\ (?:have|got)\ an\ account|already\ (?:registered|subscribed|signed\ up|an?\ (?:member|subscriber))|(?:new|not\ yet)\ (?:here|registered|a\ (?:member|subscriber))
    |(?:forgot(?:ten)?|reset|choose|confirm|enter|create)\ (?:your\ |a\ |my\ |the\ )?password|password\ (?:must|should|needs)|remember\ me
    |(?:enter|confirm|verify|provide|type)\ (?:in\ )?(?:your|a\ valid|an?)\ (?:valid\ )?(?:e-?mail|name|postcode|zip|phone|date\ of\ birth|details)|your\ e-?mail\ address|check\ your\ (?:inbox|e-?mail)|verification\ (?:code|link|e-?mail)
    |(?:subscribe|register|sign\ (?:in|up)|log\ ?in|join)\ (?:now\ |today\ |for\ free\ |free\ |here\ )*(?:to|and|for)\ (?:continue|keep|read|unlock|access|enjoy|get|receive|full|unlimited|view|see)
    |(?:to|please)\ (?:continue|keep|carry\ on|finish)\ reading|(?:please|you\ (?:must|need\ to|have\ to))\ (?:subscribe|register|sign\ (?:in|up)|log\ ?in|be\ (?:logged|signed)\ in)
    |(?:free|digital|print|annual|monthly|premium|full|your|a|our)\ (?:trial|subscription|registration|membership)|subscription\ (?:offers?|plans?|options?)|cancel\ (?:at\ )?any\ ?time|\b(?:billed|renews?)\ (?:annually|monthly|automatically|every)|(?:per|a|first|for)\ (?:month|4\ weeks|three\ months|3\ months)\ (?:for|free|then|thereafter)|registration\ is\ free|free\ to\ register
    |(?:subscribers?|members?|registered\ (?:users|readers))[-\ ]only|(?:only|exclusively?|available|reserved)\ (?:to|for)\ (?:our\ |registered\ )?(?:subscribers|members|registered)|become\ an?\ (?:member|subscriber)|unlimited\ (?:digital\ )?access|full\ access\ to
    |(?:your|free|of|more)\ (?:free\ |\d+\ )?articles?\ (?:left|remaining|this\ month|limit)|(?:reached|used)\ (?:your|the)\ .{0,30}\b(?:limit|articles)
    |we\ (?:will|['’]ll|may|would\ like\ to)\ use\ (?:the|your|this|these)\ (?:details|information|data|e-?mail)|manage\ (?:your|my)\ (?:registration|account|preferences|subscription|consent|cookies|privacy|choices|settings)
    |(?:you|i)\ (?:agree|consent|accept|acknowledge)\ (?:to|that|the|our)|(?:agree|consent)\ to\ (?:our|the|receiv)|terms\ (?:of\ (?:use|service|sale)|and\ conditions|&\ conditions)|privacy\ (?:policy|notice|statement|cent(?:er|re))|cookie\ (?:policy|notice|settings|preferences|consent)
    |(?:we|site|website|partners|vendors|third\ parties)\ (?:and\ our\ (?:\d+\ )?partners\ )?(?:may\ )?(?:uses?|stores?|sets?|places?|process)\b.{0,60}\b(?:cookies?|personal\ data|device|identifiers)|(?:accept|reject|allow|decline|manage|essential|necessary|third[-\ ]party|these|of|our|all)\ cookies|use\ of\ cookies|legitimate\ interests?|personali[sz]ed\ (?:ads?|advertising|content)|(?:information|data)\ on\ (?:a|your)\ device|withdraw\ (?:your\ )?consent|opt[-\ ]?out
    |newsletters?\b|your\ inbox|unsubscribe|marketing\ (?:e-?mails?|communications?|messages)|(?:offers|updates)\ (?:from|by\ e-?mail)
    |(?:are|you\ are|you['’]re)\ (?:a\ human|not\ a\ robot)|enable\ (?:javascript|cookies)|ad[-\ ]?blocker|captcha|checking\ your\ browser|unusual\ (?:traffic|activity)

    |(?:jetzt|hier|bitte|kostenlos|sich|sie\ sich)\ (?:kostenlos\ )?(?:registrieren|anmelden|an|ein|einloggen|abonnieren|weiterlesen)\b|(?:konto|account|profil|benutzerkonto)\ (?:erstellen|anlegen|an\b)|passwort|bereits\ (?:registriert|abonnent|abonniert|kunde|ein\ (?:konto|abo)|digital)|noch\ kein(?:en)?\ (?:konto|abo|account)|weiterlesen\ (?:mit|und)|(?:zum|um)\ (?:weiter)?lesen|probe(?:abo|monat)|(?:monatlich|jederzeit)\ kündbar|(?:nur|exklusiv)\ für\ (?:abonnent|registrierte|plus)|datenschutz|nutzungsbedingungen|\bAGB\b|einwillig|zustimm(?:en|ung)|(?:verwenden|nutzen|setzen|speichern)\b.{0,50}\b(?:cookies|daten|geräten?)|cookies\ (?:zu|ein|akzeptieren|ablehnen)|e-mail-adresse

    |cré(?:ez|er)\ (?:un|votre|mon)\ compte|(?:connectez|identifiez|inscrivez|abonnez)-vous|se\ connecter|s['’](?:identifier|inscrire|abonner)|mot\ de\ passe|déjà\ (?:abonné|inscrit|un\ compte|client)|sans\ engagement|pour\ (?:lire\ la\ suite|continuer|accéder|poursuivre)|(?:réservé|exclusi\w{1,12})\ (?:à\ nos\ |aux\ |pour\ nos\ )abonné|utilis(?:ons|ent|e)\b.{0,50}\b(?:cookies|traceurs|données)|politique\ de\ (?:confidentialité|cookies)|conditions\ (?:générales|d['’]utilisation)|adresse\ (?:e-?mail|électronique)|consentement|(?:tout\ )?accepter\ (?:et|les|tout)|données\ personnelles|lettres?\ d['’]information|votre\ abonnement

    |cre(?:a|e|ar)\ (?:una|tu|su)\ cuenta|inici(?:a|e|ar)\ sesión|reg[ií]str(?:ate|ese|arse)|contraseña|ya\ (?:tienes?|eres|es|está\w{0,12})\ (?:una\ cuenta|suscrip?tor|registrad|usuario)|suscr[ií]b(?:ete|ase|irse)|(?:tu|su|una)\ suscripción|para\ (?:seguir|continuar)\ (?:leyendo|navegando)|(?:solo|exclusivo|exclusiva)\ para\ (?:suscrip?tores|usuarios)|(?:utiliza|usa|utilizan|usan|utilizamos|usamos)\b.{0,50}\bcookies|política\ de\ (?:privacidad|cookies)|acept(?:ar|as|a|o)\ (?:todas|las|los|nuestra)|correo\ electrónico|términos\ (?:y|de)\ |boletín|datos\ personales

    |crea\ (?:un|il\ tuo)\ (?:account|profilo)|(?:accedi|registrati|abbonati|iscriviti)\b|password\ dimenticata|(?:hai|sei)\ già\ (?:un\ account|abbonat|registrat)|per\ (?:continuare|proseguire)\ (?:a\ leggere|la\ lettura)|riservat[oi]\ agli\ abbonati|(?:utilizz|us)(?:iamo|a|ano)\b.{0,50}\bcookie|informativa\ sulla\ privacy|(?:il\ tuo\ |fornire\ il\ )?consenso|dati\ personali|indirizzo\ e-?mail

    |cri(?:e|ar)\ (?:uma|sua|a\ sua)\ conta|(?:faça|fazer|iniciar)\ (?:o\ |seu\ )?(?:login|sessão)|(?:cadastre|registe|registre|inscreva)-se|(?:sua|palavra-passe|esqueceu\ a)\ senha|palavra-passe|já\ (?:é|tem)\ (?:assinante|uma\ conta|cadastro)|(?:seja|torne-se)\ assinante|para\ continuar\ (?:a\ ler|lendo)|exclusivo\ para\ assinantes|(?:utiliza|usa|utilizamos|usamos)\b.{0,50}\bcookies|política\ de\ privacidade|termos\ de\ uso|dados\ pessoais

    |maak\ (?:een|je|gratis)\b.{0,20}\baccount|(?:log|meld)\ (?:je\ )?(?:in|aan)\b|wachtwoord|al\ (?:abonnee|een\ account|geregistreerd)|om\ (?:verder\ te\ lezen|dit\ artikel)|(?:alleen|exclusief)\ voor\ abonnees|gebruik(?:en|t)\b.{0,50}\bcookies|privacy(?:beleid|verklaring)|e-mailadres|toestemming|word\ abonnee
    |logg?(?:a|e)?\ (?:inn?|på)\b|log\ ind|skap(?:a|e)?\ (?:ett\ )?konto|opret\ (?:en\ )?(?:konto|bruger|profil)|lösenord|passord|adgangskode|(?:bli|bliv|redan|allerede|är\ du)\ (?:abonn|prenumer|kund|medlem)\w*|(?:använder|bruger|bruker)\b.{0,50}\b(?:cookies|kakor|informasjonskapsler)|integritetspolicy|personvern|privatlivspolitik|samtyck\w*|samtykke\w*|för\ att\ (?:läsa\ vidare|fortsätta)|for\ (?:å|at)\ (?:lese|læse)\ videre
    |zaloguj|zarejestruj|załóż\ konto|hasło|masz\ już\ (?:konto|subskrypcję)|(?:aby|żeby)\ (?:czytać|przeczytać|kontynuować)|polityk[aięą]\ prywatności|(?:używamy|wykorzystuje(?:my)?|korzysta\w{0,12})\b.{0,50}\b(?:cookies|ciasteczek)|zgod[aęy]\ na

    |зарегистриру|регистраци[яиюей]|войдите|войти\ (?:в|на|через)|(?:ваш|введите|забыли|подтвердите)\w{0,12}\ пароль|(?:уже\ есть|создать|создайте)\ (?:аккаунт|уч[её]тн)|(?:оформи|купи|продли)\w{0,12}\ подписк|подписчик|подпис(?:аться|ку|ывайтесь|итесь)|чтобы\ (?:читать|продолжить|прочитать)|использу\w{1,12}\b.{0,50}\bcookie|политик\w{0,12}\ конфиденциальности|персональных\ данных|согла(?:сие|шаетесь|сен)\w*|зареєструй|увійдіть|увійти|передплат|персональних\ даних|політик\w{0,12}\ конфіденційності

    |로그인|회원\s?가입|비밀번호|구독(?:하|신청)|이용\s?약관|개인정보|쿠키
    |登录|登入|注册|註冊|密码|密碼|订阅|訂閱|继续阅读|繼續閱讀|隐私政策|隱私|会员|會員
    |ログイン|会員登録|会員限定|有料会員|パスワード|続きを読む|利用規約|プライバシー|クッキー|購読
    """
)


def is_wall_text(text: str) -> bool:
    """Return whether a text is a form or a site notice without a story."""
    if not text.strip() or len(text) > MAX_FORM_CHARACTERS:
        return False
    forms = stories = 0
    enough = (1 - FORM_SHARE) * len(
        text
    )  # characters of story that rule out a form; usually in the first sentences
    for span in split_sentences(text):
        sentence = text[span.start : span.end]
        if _FORM.search(sentence):
            forms += len(sentence)
        elif len(sentence) > MAX_LABEL_CHARACTERS:
            stories += len(sentence)
            if stories > enough:
                return False
    return forms > 0 and forms >= FORM_SHARE * (forms + stories)
