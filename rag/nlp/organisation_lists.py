"""Word lists for names: organisations, the words that tell kinds of names, and words in no name."""

from __future__ import annotations

# Last words of organisations' names.
ORGANISATION_WORDS = frozenset(
    """aerospace aviation bancorp biosciences brands cable communications foods logistics lottery
    outfitters petroleum realty robotics semiconductor software telecom wireless
    pizza distributors academy administration agency airlines airways alliance appeals army
    assembly associates association athletics authority ballet band bank bar bistro board brewery
    brewing brothers bros brigade broadcasting bureau cafe café campaign cantina capital caucus
    center centre chamber chapel choir church cinemas circuit city-council club co coalition
    college commission committee community companies company conference confederation
    congregation congress consortium control cooperative corp corporation corps council court
    courts crew daily dealership defense department dept democrats deli diner diocese archdiocese
    directorate district division duma eatery education electric embassy emirates energy
    enterprises entertainment exchange express farms federation films financial firm fleet force
    forces forum foundation front fund gazette general-assembly gallery grill grille group guard
    guardia guild healthcare health herald holdings hospital house household hub inc industries
    initiative institute institution insurance intelligence inquirer investments jail journal
    kitchen lab laboratory laboratories law league legislature library llc llp lobby lounge ltd
    magazine majesty manufacturing market marines media medicine medical-center ministry mission
    mosque motors movement museum nation national-guard navy network networks news newspapers
    nonprofit office opera operations orchestra orchestras organization organisation outlets
    partners partnership party patrol pharmaceuticals pharma pictures police post prevention
    press prison productions project prosecutor publishing pub racing radio railway records
    register registry relations reserve resources restaurant review school schools senate service
    services sheriff society solutions squad station store stores studio studios supermarket
    supply supremo symphony synagogue synod systems tavern team technologies technology telegraph
    television temple theater theatre theatres therapeutics times treasury tribe tribune tribunal
    trust tv union universe university utilities ventures veterans village-council watch weekly
    works worldwide ymca zoo""".split()
)
# Last words of newspapers' names, after that of their place: "Wichita Eagle".
NEWSPAPER_WORDS = frozenset(
    """advocate bee chronicle courier democrat dispatch eagle enquirer examiner globe independent
    ledger mirror observer sentinel standard star sun""".split()
)
# Last words of places' names.
PLACE_WORDS = frozenset(
    """observatory airport airfield alley amphitheater archipelago arena auditorium avenue ballpark
    basin bay bayou beach borough boulevard bridge building canal canyon cape castle cathedral
    cemetery channel city cliffs coast coliseum colosseum corridor county courthouse cove creek
    dam delta desert downtown dome falls fairgrounds field fjord forest fort freeway gardens
    glacier gorge grove gulch gulf harbor harbour heights highlands highway hill hills hollow
    hotel inlet interstate island islands isle isles jungle junction lagoon lake lakes landing
    lighthouse mall mansion marsh memorial mesa monument mosque mount mountain mountains
    neighborhood oblast ocean oasis palace parish park parkway peak peninsula pier plains
    plantation plateau plaza point pond port prairie prefecture province racetrack raceway ranch
    range ravine reef refuge region republic reservation reservoir resort ridge river riverfront
    riverwalk road rock sea shore shores shrine sound speedway spring springs square stadium
    state strait street subdivision summit suburb terrace territory tower towers town township
    trail triangle tunnel turnpike valley village villa volcano waterfront waterway wetlands
    woods zone""".split()
)
PLACE_OPENERS = frozenset("lake mount mt cape fort gulf strait port isle river camp bay".split())
OF_HEADS = frozenset(  # "Department of Justice", "Gulf of Mexico": names go on after "of"
    """academy administration army agency alliance archdiocese association bank bay board bureau
    center centers centre chamber church city college commission committee community
    confederation council coalition court department diocese district division duchy embassy faculty
    federation foundation fund gulf hall house institute institutes institution isle isles
    kingdom legion league library lake ministry museum national office organization organisation
    palace parliament party province republic school secretariat society sons daughters state
    states strait supervisors synod town tribe union university village voice william statue
    bible campus friends doctors guild university's port rock tower women knights houses
    brotherhood""".split()
)
FOR_HEADS = frozenset(
    """academy agency alliance association campaign center centers centre citizens coalition college
    committee council foundation fund group institute institutes movement office organization
    partnership project society trust union americans department mothers moms students doctors
    people lawyers journalists women""".split()
)
JOINED = frozenset(  # first words of "Food and Drug Administration"
    """food ways fish health arts science housing education parks transportation safety alcohol
    commerce labor standards culture drug research training agriculture environment oil
    immigration budget rules ethics oversight business rights conservation recreation fire
    children families economics prevention technology politics energy""".split()
)

KNOWN_ORGANISATIONS = frozenset(
    " ".join(name.split())
    for name in """abc;abc news;aclu;activision blizzard;adidas;afp;airbnb;airbus;al jazeera;
    al qaeda;al-qaeda;aldi;alibaba;alphabet;amazon;amc;american airlines;amnesty international;
    amtrak;ap;apple;aramark;arsenal;astrazeneca;at&t;atf;axios;azov;bank of america;barnes & noble;
    bbc;bed bath & beyond;best buy;biontech;black lives matter;blackrock;bloomberg;boeing;
    boko haram;border patrol;bp;british airways;burger king;buzzfeed;bytedance;c-span;
    capitol police;caf;carnegie;cbs;cbs news;cbs sports;cdc;cern;chanel;chelsea;chick-fil-a;
    chipotle;chrysler;cia;cisco;citi;citigroup;cnbc;cnn;coca-cola;comcast;communist party;congress;
    conservative party;costco;crown;ctv;customs and border protection;cvs;daily mail;daily mirror;
    daily telegraph;dea;delta;delta air lines;democratic national committee;democratic party;dhs;
    disney;dnc;doj;dollar general;dollar tree;domino's;doordash;duke;dunkin';ebay;ecb;eeoc;
    emmanuel college;environmental protection agency;epa;espn;eu;european commission;
    european union;exxon;exxonmobil;faa;facebook;fbi;fcc;fda;federal reserve;fed;fedex;fema;
    ferrari;fiat chrysler;fifa;financial times;fisa;ford;forbes;fox;fox news;fox sports;foxconn;
    frontier airlines;fsb;ftc;ftx;g7;g20;gannett;gao;gazprom;general electric;general motors;
    georgia tech;getty images;getty;gm;golden state;goldman sachs;google;gop;grubhub;guardian;
    hamas;harvard;hbo;hbo max;hermes;hezbollah;hhs;hilton;home depot;honda;houthis;hud;huffpost;
    huffington post;human rights watch;hulton archive;hyundai;iaea;ibm;icc;ice;ikea;imf;instagram;
    intel;interpol;ioc;irs;isis;islamic state;itv;j.p. morgan;jpmorgan;jpmorgan chase;jetblue;
    johnson & johnson;kfc;kgb;kia;kmart;kohl's;knesset;kremlin;kroger;labour;labour party;lapd;
    le monde;linkedin;little caesars;lockheed martin;los angeles times;lowe's;lpga;lufthansa;
    lululemon;lyft;macy's;major league baseball;marriott;mcdonald's;medicare;mercedes;
    mercedes-benz;merck;meta;metropolitan police;mi5;mi6;microsoft;mit;mlb;mls;moderna;
    morgan stanley;mossad;msnbc;naacp;nascar;nasa;nashville police;national guard;nato;nba;nbc;
    nbc news;ncaa;netflix;new york post;new york times;new yorker;newsweek;nfl;nhl;nhs;nhtsa;nike;
    nintendo;nissan;noaa;nordstrom;notre dame;novavax;npr;nra;nsa;ntsb;nypd;oath keepers;old navy;
    openai;opec;osha;panera bread;paramount;parliament;paypal;pbs;peloton;pentagon;pepsi;pepsico;
    peta;pew;pfizer;pga;pga tour;philadelphia inquirer;pinterest;pizza hut;planned parenthood;
    politico;popeyes;porsche;politburo;premier league;proud boys;qanon;qantas;quinnipiac;reddit;
    red cross;red sox;republican national committee;republican party;reuters;rite aid;rnc;
    robinhood;roku;rolling stone;roscosmos;royal navy;ryanair;saks;salvation army;samsung;
    scotland yard;sears;sec;senate;service;shell;siemens;sinclair;sky news;slack;smithsonian;snap;
    snapchat;sony;southwest;southwest airlines;space x;spacex;spirit airlines;spotify;starbucks;
    state department;subway;supreme court;taco bell;taliban;target;tass;telegram;tesla;tiktok;
    times;tories;toyota;treasury;tsa;turning point usa;twitter;u.n;u.s. army;uaw;uber;ucla;uefa;
    ufc;un;unesco;unicef;unilever;unite;united airlines;united nations;universal;univision;ups;
    usa today;usc;usda;usps;va;verizon;viacom;virgin;visa;volkswagen;volvo;wada;wagner;walgreens;
    wall street journal;walmart;warner bros;warner bros. discovery;washington post;wells fargo;
    wendy's;wework;whatsapp;whole foods;wikileaks;wnba;world bank;world health organization;who;
    wwe;xfl;yahoo;yelp;youtube;yougov;zillow;zoom;oecd;asean;brics;acc;pac-12;big ten;big 12;aac;
    house;house of representatives;house of commons;house of lords;duma;white sox;cabinet;
    bundestag;capitol hill police;secret service;coast guard;air force;marine corps;pac-10;atp;wta;
    itf;fia;cpac;naia;afl-cio;seiu;hfpa;lvmh;gucci;prada;versace;dior;zara;h&m;gap;afc;nfc;usmnt;
    uswnt;irgc;ira;plo;idf;psg;tnt;tbs;bet;mtv;nbcuniversal;hulu;peacock;billboard;variety;vogue;
    esquire;time;people;atlantic;economist;spectator;slate;vox;breitbart;newsmax;oan;
    paris saint-germain;manchester united;manchester city;real madrid;barcelona;juventus;
    bayern munich;tottenham;everton;liverpool;inter milan;ac milan;atletico madrid;
    borussia dortmund""".split(";")
) - {"delta", "time", "people", "who", "service", "crown", "target", "visa", "carnegie", "slack",
     "universal", "subway", "bet", "gap", "variety", "slate", "shell", "wagner", "virgin",
     "barcelona", "liverpool", "atlantic", "zoom", "snap", "duke", "roku", "sec", "va", "aac",
     "times", "fisa", "unite"}  # fmt: skip

# Teams as news calls them; each is also the last word of a full name ("Chicago Bears").
TEAMS = frozenset(
    " ".join(name.split())
    for name in """49ers;76ers;a's;aggies;angels;astros;athletics;avalanche;badgers;bears;beavers;
    bengals;bills;blackhawks;blazers;blue jackets;blue jays;blue devils;boilermakers;braves;
    brewers;broncos;browns;bruins;buccaneers;bucks;buckeyes;buffaloes;bulldogs;bulls;canadiens;
    canucks;capitals;cardinals;cavaliers;celtics;chargers;chiefs;clippers;colts;commanders;
    cornhuskers;cougars;cowboys;coyotes;crimson tide;cubs;cyclones;devils;diamondbacks;dodgers;
    dolphins;ducks;eagles;falcons;fever;fighting irish;flames;flyers;gamecocks;gators;giants;
    golden gophers;golden knights;grizzlies;guardians;hawkeyes;hawks;heat;hokies;hoosiers;hornets;
    hoyas;hurricanes;huskers;huskies;indians;islanders;jaguars;jayhawks;jazz;jets;kings;knicks;
    kraken;lakers;lightning;lions;longhorns;lynx;magic;maple leafs;mariners;marlins;mavericks;
    mercury;mets;mountaineers;nationals;nets;nittany lions;nuggets;oilers;orioles;pacers;packers;
    padres;panthers;patriots;pelicans;penguins;phillies;pirates;pistons;predators;rams;rangers;
    raptors;ravens;rays;razorbacks;red sox;red wings;redskins;reds;rockets;rockies;royals;sabres;
    saints;seahawks;seminoles;senators;sharks;sooners;spartans;spurs;steelers;storm;sun devils;
    suns;tar heels;texans;thunder;tigers;timberwolves;titans;trail blazers;trojans;twins;vikings;
    volunteers;warriors;white sox;wild;wildcats;wings;wizards;wolverines;yankees;yellow jackets
    """.split(";")
)
_LOOSE_TEAMS = frozenset(  # words too common to be a team by themselves
    """angels bears bills browns bulls capitals devils dolphins ducks fever flames giants heat
    indians islanders kings lightning lions magic mercury pirates panthers royals saints senators
    sharks storm suns thunder tigers titans twins vikings volunteers wild wings guardians rockets
    hawks hurricanes rockies patriots nationals athletics cardinals rangers predators penguins
    texans pioneers spartans trojans""".split()
)
LOOSE_TEAMS = _LOOSE_TEAMS & TEAMS

# Adjectives of places and parties: no names by themselves.
ADJECTIVES = frozenset(
    """afghan african alaskan albanian algerian american americans angeleno arab arabs arabian
    argentine argentinian armenian asian asians australian australians austrian azerbaijani
    baltic bangladeshi bavarian belarusian belgian belgians bolivian bosnian brazilian brazilians
    british britons brit brits bulgarian californian californians cambodian canadian canadians
    caribbean catalan catholic catholics chechen chilean chinese christian christians colombian
    communist confederate congolese conservative conservatives croatian cuban cubans cypriot
    czech danish danes democrat democratic democrats dutch ecuadorian egyptian egyptians english
    estonian ethiopian european europeans filipino finnish floridian french georgian german
    germans ghanaian greek greeks guatemalan haitian haitians hawaiian hebrew hindu hispanic
    hispanics honduran hungarian icelandic indian indians indigenous indonesian iranian iranians
    iraqi iraqis irish islamic islamist israeli israelis italian italians jamaican japanese jew
    jewish jews jordanian kenyan korean koreans kurdish kurds latin latina latinas latino latinos
    latvian lebanese liberal liberals libertarian libyan lithuanian macedonian malaysian maori
    marxist mexican mexicans moldovan mongolian mormon mormons moroccan muslim muslims native
    nazi nazis nepalese nigerian nigerians nordic norwegian olympic olympian olympians orthodox
    pakistani palestinian palestinians panamanian peruvian philippine polish portuguese
    protestant republican republicans roman romanian russian russians salvadoran saudi saudis
    scandinavian scot scots scottish serbian serb shiite slovak slovenian somali soviet soviets
    spaniard spaniards spanish sunni swede swedes swedish swiss syrian syrians taiwanese
    tennesseans texan texans thai tibetan tory tunisian turkish turks ugandan ukrainian
    ukrainians uyghur uyghurs venezuelan venezuelans victorian vietnamese welsh western
    westerners yemeni zionist lgbt lgbtq black white""".split()
)

TITLE_WORDS = frozenset(
    """president vice prime minister secretary chancellor king queen prince princess duke duchess
    pope mr mrs ms miss dr sir dame lord lady senator sen sens rep reps representative
    congressman congresswoman governor gov mayor judge justice general gen lt maj cpl pvt admiral
    adm colonel col captain capt sergeant sgt cmdr commander lieutenant corporal officer
    detective deputy deputies sheriff trooper marshal chief chairman chairwoman chairperson chair
    director leader head spokesman spokeswoman spokesperson professor prof reverend rev fr father
    sister brother archbishop bishop cardinal imam rabbi pastor ambassador attorney commissioner
    comptroller treasurer councilman councilwoman councilmember alderman supervisor
    superintendent coach manager quarterback linebacker receiver cornerback safety goalkeeper
    midfielder striker forward defender pitcher catcher shortstop outfielder coroner referee
    umpire rookie rookies lefty left-hander right-hander center guard analyst author actor
    actress singer comedian rapper producer star ceo cfo coo founder premier first foreign
    defense defence interior finance emeritus former late editor reporter correspondent
    photographer anchor host co-host columnist democrat republican majority minority speaker whip
    candidate nominee emir sheikh sultan crown aunt uncle mom dad grandma grandpa mother
    st-president el-presidente qb rb wr te cb lb ol dl de dt ot og ss fs pg sg sf pf cf
    lf rf""".split()
)
# Words whose capital letter names neither a person, a place nor an organisation.
NO_NAMES = frozenset(
    """i i’m i’ve i’d i’ll i'm i've i'd i'll ok okay tv tvs covid covid-19 covid19 coronavirus ai
    dna rna hiv aids bmi gdp cpi ceo ceos cfo coo cto est et edt pt ct mt gmt bst pm am pdf faq
    faqs id ids gps sms atm pac pacs gi iq suv suvs evs ev uv usb vr ar ux nft nfts pcr ppe icu
    er mri dui dwi mvp mvps rbi rbis era td tds qb qbs wr rb cb hr hrs ot ko no nos vol vs jr sr
    phd md ba ma mba lgbt lgbtq lgbtq+ lgbtqia+ lgbtqi+ bipoc bame halloween christmas
    thanksgiving easter hanukkah ramadan passover kwanzaa diwali juneteenth super bowl oscar
    oscars emmy emmys grammy grammys tony tonys olympics olympic paralympics paralympic games
    world cup internet web wi-fi wifi bluetooth android iphone ipad god lord bible quran koran
    torah gospel heaven hell satan allah holocaust wars earth mars venus mercury jupiter saturn
    uranus neptune pluto moon sun brexit medicaid medicare obamacare title amendment constitution
    act bill omicron delta pfas mrna rsv ebola monkeypox mpox zika sars hurricane tropical storm
    tornado north south east west northern southern eastern western central upper lower mid new
    old big little day night week month year spring summer fall autumn winter mass eve birthday
    anniversary memorial labor independence veterans pic pics url html twitter.com photo photos
    video videos image images file caption monday tuesday wednesday thursday friday saturday
    sunday january february march april may june july august september october november december
    jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat ad
    ads source sources credit more related read watch see breaking exclusive update updated live
    opinion analysis editor editors note advertisement subscribe newsletter sign contributing
    details detail address hours info information tickets ticket price cost phone website born
    died age height weight hometown twitter: instagram:""".split()
)

# Words after a name that tell its kind.
SAYS = frozenset(
    """said says told added adds tweeted wrote writes argued explained recalled noted testified
    insisted joked replied continued acknowledged admitted believes thinks hopes laughed smiled
    grew married died born graduated remembers remembered learned felt knew loved thought wanted
    lives lived pleaded resigned tells asked recalls insists argues explains""".split()
)
ORGANISATION_NEXT = frozenset(
    """announced officials official spokesman spokeswoman spokesperson executives executive ceo
    employees workers shares stock users app website reported reports reporter members lawmakers
    agents agent investigators researchers scientists fans players coach commissioner chairman
    franchise headquarters affiliate poll polls survey data guidelines leaders leadership chief
    president director analyst anchor host correspondent editor contributor columnist customers
    stores store restaurants locations products factory plant campus students professor bill
    committee hearing rules policy playoffs season champion championship
    game games""".split()
)
PLACE_NEXT = frozenset(
    """residents resident native mayor police governor airport suburb suburbs area region border
    coast city metro skyline streets capital invasion war government officials""".split()
)
PLACE_BEFORE = frozenset(
    """in near outside across throughout around toward towards downtown northern southern eastern
    western central northeast northwest southeast southwest upstate to into from at invaded visit
    visiting visited leave leaving left entering entered capital""".split()
)
PERSON_BEFORE = frozenset(
    """son daughter wife husband mother father brother sister friend widow attorney lawyer coach
    actor actress singer author analyst reporter president captain owner quarterback teammate
    opponent predecessor successor spokesman spokeswoman spokesperson director professor
    researcher resident founder producer writer creator star comedian named said says told
    against him with""".split()
)
EVENT_WORDS = frozenset(  # last words of names of events, works, laws and products
    """act award awards bill bowl cartoon caucuses celebration challenge championship championships
    classic code constitution cup day days deal derby doctrine edition effect election elections
    era eve festival fest final finals flood gala game games globe globes holiday hurricane
    invitational list map marathon massacre match method model movement olympics open parade
    playoffs plan prize program project protocol rally report revolution riots series show shower
    sonata story strike survey syndrome theory tour tournament treaty trial trilogy trophy
    uprising vaccine virus war wars week weekend""".split()
)
WIDE = frozenset(  # first words of organisations, not of people
    """american british european federal first general global international local metro national new
    north northern pan public regional royal south southern state super united universal western
    eastern central east west old great grand big little upper lower mid""".split()
)
AGENCIES = frozenset("reuters ap afp bloomberg cnn getty shutterstock alamy epa upi".split())
