"""Word lists for names: given names, places, organisations, and words that names end with."""

from __future__ import annotations

GIVEN_NAMES = frozenset(
    """aaron abby abdul abdullah abe abigail abraham ada adam adele adrian adriana agnes ahmad ahmed
    aidan aileen aisha akira al alan alana albert alberto alec alejandra alejandro aleksandr alex
    alexa alexander alexandra alexandria alexei alexia alexis alfonso alfred alfredo ali alice
    alicia alina alison alissa allan allen allison alma alvin alyssa amanda amber amelia amina
    amir amit amy ana anastasia anderson andre andrea andreas andrei andres andrew andriy andy
    angel angela angelica angelina angie anita ann anna anne annette annie anthony anton antonia
    antonio antony anwar april archie ariana ariel arlene armando arnold art arthur arturo ash
    asha ashley ashton audrey august augustin austin ava avery axel ayesha barbara barney barron
    barry bart beatrice beau becky belinda bella ben benedict benjamin benny bernadette bernard
    bernardo bernie bert bertha beth bethany betsy betty beverly bianca bill billie billy blair
    blaine blake bob bobbi bobby bonnie boris brad bradley brady brandi brandon brayden brenda
    brendan brenna brent bret brett brian briana brianna bridget brittany brittney brock brody
    bronson brooke bruce bruno bryan bryant bryce bryson byron caitlin caitlyn caleb calvin
    cameron camila camilla camille candace candice carl carla carlo carlos carly carmen carol
    carole carolina caroline carolyn carrie carson casey cassandra cassidy cassie catherine cathy
    cecilia cedric celeste celia cesar chad chandler charlene charles charlie charlotte chelsea
    cheri cheryl chester chloe chris christa christi christian christie christina christine
    christopher christy chuck cindy claire clara clarence clark claude claudia clay clayton cliff
    clifford clint clinton clyde cody colby cole colin colleen colton connie connor conor
    constance cora corey corinne cornelius cory courtney craig cristiano cristina crystal curt
    curtis cynthia daisy dakota dale dallas damian damien damon dan dana daniel daniela danielle
    danny dante daphne darius darla darlene darnell darrell darren darryl daryl dave david davis
    dawn dawson dean deandre deb debbie deborah debra deepak deirdre delia denis denise dennis
    denzel derek derrick desmond destiny devin devon dexter diana diane dianne dick diego dillon
    dimitri dina dirk dmitri dmitry dmytro dolly dolores dominic dominique don donald donna
    donnie donovan dora doreen doris dorothy doug douglas drew duane duncan dustin dwayne dwight
    dylan earl ed eddie edgar edith edmund eduardo edward edwin eileen elaine eleanor elena eli
    elias elijah elisa elisabeth elise eliza elizabeth ella ellen ellie elliot elliott elon elsa
    elvis emanuel emerson emil emilia emilio emily emma emmanuel enrique eric erica erick erik
    erika erin ernest ernesto ernie esteban estelle esther ethan ethel eugene eva evan evelyn
    evgeny ezra faith fatima fay federico felicia felipe felix fernanda fernando fiona florence
    floyd frances francesca francesco francis francisco franco francois frank frankie franklin
    fred freddie frederick frida gabby gabriel gabriela gabriella gabrielle gail galen gareth
    garrett gary gavin gemma gene genevieve geoff geoffrey george georgia georgina gerald gerard
    german gerry gideon gilbert gillian gina ginni giovanni gisele giuseppe gladys glen glenn
    gloria gordon grace grady graham grant greg gregg gregory greta gretchen griffin guadalupe
    guillermo gus gustavo guy gwen gwyneth hailey hakeem hal haley hank hannah hans harley harold
    harriet harris harrison harry harvey hassan hayden hazel heather hector heidi helen helena
    henrietta henrik henry herbert herman herschel hilary hillary hiroshi holly homer hope horace
    howard hudson hugh hugo humberto hunter hussein ian ibrahim ida ignacio igor ilya imran
    ingrid irene iris irma isaac isabel isabella isabelle isaiah ismail ivan ivanka ivy jace jack
    jackie jackson jacob jacqueline jacques jada jade jaime jake jalen jamaal jamal james jamie
    jan jana jane janet janice janine jared jaroslav jasmine jason jasper javier jay jayden jayla
    jaylen jaylin jayson jean jeanette jeanne jeb jeff jefferson jeffrey jen jenna jennifer jenny
    jeremiah jeremy jerome jerry jesse jessica jessie jesus jill jillian jim jimmie jimmy jo joan
    joann joanna joanne joaquin jocelyn jodi jody joe joel joey johan johanna john johnathan
    johnnie johnny jon jonah jonas jonathan jordan jorge jose josefina joseph josephine josh
    joshua josie joy joyce juan juana juanita judith judy jules julia julian juliana julianne
    julie juliet julio julius june justin justine kai kaitlyn kamala karan kareem karen kari
    karim karin karina karl karla kate katelyn katherine kathleen kathryn kathy katie katrina kay
    kayla keegan keith kellie kelly kelsey kelvin ken kendall kendra kenneth kenny kent kerry
    kevin khalid khalil kiara kim kimberly kirk kirsten kirstie kris kristen kristi kristin
    kristina kristine kristy kurt kyle kylian kylie lacey lamar lamont lana lance landon lane
    lara larry lars latoya laura lauren laurence laurie lawrence layla leah leandro lee leigh
    leila lena leo leon leona leonard leonardo leroy leslie leticia levi lewis lex liam lila
    lillian lily linda lindsay lindsey lionel lisa liz liza lizzie lloyd logan lois lola lonnie
    lora loren lorena lorenzo loretta lori lorraine lou louie louis louisa louise lucas lucia
    lucian lucille lucinda lucy luigi luis luka lukas luke lydia lyla lyle lyndon lynda lynette
    lynn mabel mac mack mackenzie madeleine madeline madison mae maggie mahmoud maisie malala
    malcolm malik mallory mandy manny manuel mara marc marcel marcela marcelo marcia marco marcos
    marcus margaret margarita margo margot maria mariah mariam mariana marianne maribel marie
    mariel marilyn marina mario marion marisa marissa marjorie mark marlene marquis marsha
    marshall marta martha martin martina marty marvin mary maryam mason mateo matt matthew
    matthias maureen maurice mauricio max maxine maxwell maya meagan megan meghan mehdi mehmet
    mel melania melanie melinda melissa melvin mercedes meredith mia micah michael michel michele
    michelle miguel mikael mike mikhail mila milan miles millie milton mimi mindy miranda miriam
    misty mitch mitchell mitt mohamed mohammad mohammed moira mollie molly mona monica monique
    morgan morris moses muhammad murray mustafa myles myra myron nadia nancy naomi narendra
    natalia natalie natasha nate nathan nathaniel neal ned neil nelson nia nicholas nick nicola
    nicolas nicole nigel niki nikki nikolai nina noah noel nora noreen norma norman nova octavia
    olaf oleg oleksandr oleksiy olga oliver olivia ollie omar oprah orlando oscar osama otis otto
    owen pablo paige pam pamela paola parker pat patrice patricia patrick patsy patti patty paul
    paula paulina pauline pavel pearl pedro peggy penelope penny percy perry pete peter petr
    petra phil philip philippa phillip phoebe phyllis pierre piers preston priscilla priya
    priyanka quentin quincy quinn rachel rafael rahul raj ralph ramon ramona randall randi
    randolph randy raphael raquel rashad rashida raul ravi ray raymond reagan rebecca reed reese
    regina reginald reid rene renee rex rhonda ricardo rich richard rick rickey ricky riley rishi
    rita rob robbie robert roberta roberto robin robyn rocco rocky rod roderick rodney rodrigo
    roger rohan roland roman romeo ron ronald ronna ronnie rory rosa rosalie rosalind rosalynn
    rosario rose rosemary rosie ross roxanne roy ruben ruby rudolph rudy rufus rupert russ
    russell ruth ryan sabrina sadie salvador salvatore sam samantha sami samir sammy samuel
    sandra sandy sanjay santiago sara sarah sasha saul savannah scott sean sebastian selena selma
    serena serge sergei sergey sergio sergii seth shana shane shannon sharon shaun shauna shawn
    sheila shelby sheldon shelley shelly sheri sherri sherry sheryl shirley sidney sierra silvia
    simon simone skylar sofia sonia sonja sonya sophia sophie spencer stacey stacy stan stanley
    stefan stefanie stella steph stephanie stephen sterling steve steven stewart stuart sue
    summer sunil susan susanna susie suzanne svetlana sydney sylvia tabitha tamara tami tammy
    tanner tanya tara tariq tasha tate tatiana taylor ted teddy terence teresa terrance terrence
    terri terry tess tessa thelma theo theodore theresa thomas tiffany tim timothy tina tobias
    toby todd tom tomas tommy toni tony tracey traci tracy travis trent trevor trey tricia
    trinity trisha tristan troy trudy tucker ty tyler tyra tyrone tyson ulrich uma ursula
    valentina valeria valerie van vanessa vera vernon veronica vicki vickie vicky victor victoria
    viktor vince vincent viola violet virgil vivek vivian vivienne vlad vladimir volodymyr wade
    wallace wally walt walter wanda warren wayne wendell wendy wes wesley whitney wilbur will
    willa willard william willie willis wilma winston wolfgang woody wyatt xavier xi yana yara
    yaroslav yasmin yevgeny yolanda yousef yuri yvette yvonne zac zach zachary zack zane zara
    zelda zoe zoey zuzana kyrie lebron giannis tua aaliyah saquon tyreek kellyanne keir nadine
    jens jair recep angus ashish anders bjorn casper cormac declan eamon fergus finn siobhan jude
    hubert tamron sloane sinead niamh ciara aoife""".split()
)

_COUNTRY_NAMES = """afghanistan;albania;algeria;andorra;angola;antigua and barbuda;argentina;
    armenia;australia;austria;azerbaijan;bahamas;bahrain;bangladesh;barbados;belarus;belgium;
    belize;benin;bhutan;bolivia;bosnia;bosnia and herzegovina;botswana;brazil;brunei;bulgaria;
    burkina faso;burundi;cambodia;cameroon;canada;cape verde;central african republic;chad;chile;
    china;colombia;comoros;congo;costa rica;croatia;cuba;cyprus;czech republic;czechia;denmark;
    djibouti;dominica;dominican republic;east timor;ecuador;egypt;el salvador;england;
    equatorial guinea;eritrea;estonia;eswatini;ethiopia;fiji;finland;france;gabon;gambia;germany;
    ghana;great britain;greece;greenland;grenada;guam;guatemala;guinea;guinea-bissau;guyana;haiti;
    honduras;hungary;iceland;india;indonesia;iran;iraq;ireland;israel;italy;ivory coast;jamaica;
    japan;kazakhstan;kenya;kiribati;kosovo;kuwait;kyrgyzstan;laos;latvia;lebanon;lesotho;liberia;
    libya;liechtenstein;lithuania;luxembourg;madagascar;malawi;malaysia;maldives;mali;malta;
    marshall islands;mauritania;mauritius;mexico;micronesia;moldova;monaco;mongolia;montenegro;
    morocco;mozambique;myanmar;namibia;nauru;nepal;netherlands;new zealand;nicaragua;niger;nigeria;
    north korea;north macedonia;northern ireland;norway;oman;pakistan;palau;palestine;panama;
    papua new guinea;paraguay;peru;philippines;poland;portugal;puerto rico;qatar;romania;russia;
    rwanda;saint lucia;samoa;san marino;saudi arabia;scotland;senegal;serbia;seychelles;
    sierra leone;singapore;slovakia;slovenia;solomon islands;somalia;south africa;south korea;
    south sudan;soviet union;spain;sri lanka;sudan;suriname;sweden;switzerland;syria;taiwan;
    tajikistan;tanzania;thailand;togo;tonga;trinidad and tobago;tunisia;turkey;turkmenistan;tuvalu;
    uganda;ukraine;united arab emirates;united kingdom;united states;uruguay;uzbekistan;vanuatu;
    vatican city;venezuela;vietnam;wales;yemen;zambia;zimbabwe"""
_STATES = """alabama;alaska;arizona;arkansas;california;colorado;connecticut;delaware;florida;
    georgia;hawaii;idaho;illinois;indiana;iowa;kansas;kentucky;louisiana;maine;maryland;
    massachusetts;michigan;minnesota;mississippi;missouri;montana;nebraska;nevada;new hampshire;
    new jersey;new mexico;new york;north carolina;north dakota;ohio;oklahoma;oregon;pennsylvania;
    rhode island;south carolina;south dakota;tennessee;texas;utah;vermont;virginia;washington;
    west virginia;wisconsin;wyoming;district of columbia;alberta;british columbia;manitoba;
    new brunswick;newfoundland;nova scotia;ontario;quebec;saskatchewan;queensland;new south wales;
    tasmania;bavaria;saxony;catalonia;crimea;donbas;donbass;siberia;kashmir;xinjiang;tibet;
    kurdistan"""
# As they follow a town ("Irvine, Calif.", "Reading, PA").
STATE_ABBREVIATIONS = frozenset(
    """ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich minn miss mo mont neb
    nev n.h n.j n.m n.y n.c n.d okla ore pa r.i s.c s.d tenn tex vt va wash w.va wis wyo d.c al
    az ca co ct dc de fl ia id il ks ma mi mn ms mt nc nd ne nh nj nm nv ny oh ok or ri sc sd tn
    tx ut wa wi wv wy ont b.c""".split()
)
_CITIES = """aberdeen;abu dhabi;accra;addis ababa;adelaide;akron;albany;albuquerque;aleppo;
    alexandria;algiers;almaty;amarillo;amman;amsterdam;anaheim;anchorage;ankara;ann arbor;
    annapolis;antwerp;asheville;ashgabat;athens;atlanta;atlantic city;auckland;aurora;austin;
    baghdad;bakersfield;bakhmut;baku;bali;baltimore;bamako;bangalore;bangkok;barcelona;basel;basra;
    baton rouge;beijing;beirut;belfast;belgrade;berkeley;berlin;bern;beverly hills;birmingham;
    bismarck;bogota;boise;bologna;bombay;bonn;bordeaux;boston;boulder;bratislava;brasilia;bremen;
    bridgeport;brighton;brisbane;bristol;brooklyn;brussels;bucharest;bucha;budapest;buenos aires;
    buffalo;burlington;cairo;calais;calcutta;calgary;camden;canberra;cannes;cape town;caracas;
    cardiff;casablanca;cedar rapids;chapel hill;charleston;charlotte;charlottesville;chattanooga;
    chennai;cheyenne;chernobyl;chicago;chongqing;christchurch;cincinnati;cleveland;cologne;colombo;
    colorado springs;columbus;copenhagen;coventry;dakar;dallas;damascus;davos;dayton;daytona beach;
    delhi;denver;des moines;detroit;dhaka;dnipro;doha;donetsk;dortmund;dover;dresden;dubai;dublin;
    duluth;durham;dusseldorf;edinburgh;el paso;eugene;fargo;flint;florence;fort lauderdale;
    fort myers;fort worth;frankfurt;fresno;fukushima;galveston;gaza city;gdansk;geneva;genoa;ghent;
    glasgow;grand rapids;green bay;greensboro;guadalajara;guangzhou;hamburg;hanoi;harare;harlem;
    harrisburg;hartford;havana;helsinki;helena;hiroshima;hollywood;hong kong;honolulu;houston;
    hyderabad;indianapolis;irpin;islamabad;istanbul;izium;jackson;jacksonville;jakarta;jerusalem;
    jersey city;johannesburg;juneau;kabul;kampala;kandahar;kansas city;karachi;kathmandu;kharkiv;
    khartoum;kherson;kigali;kinshasa;knoxville;kolkata;krakow;kramatorsk;kuala lumpur;kyiv;kyoto;
    lagos;lahore;lansing;las vegas;lausanne;leeds;leipzig;lexington;lima;lisbon;little rock;
    liverpool;london;long beach;los angeles;louisville;luhansk;lviv;lyon;macau;madison;madrid;
    malibu;manchester;manhattan;manila;marseille;mariupol;mecca;medellin;melbourne;memphis;mesa;
    mexico city;miami;miami beach;milan;milwaukee;minneapolis;minsk;mogadishu;monterrey;montgomery;
    montreal;moscow;mosul;mumbai;munich;mykolaiv;myrtle beach;nagasaki;nairobi;nantucket;naples;
    nashville;new delhi;new haven;new orleans;new york city;newark;newport;nice;nicosia;norfolk;
    oakland;odesa;odessa;oklahoma city;omaha;orlando;osaka;oslo;ottawa;oxford;palm beach;
    palm springs;palo alto;paris;pasadena;pensacola;perth;philadelphia;phnom penh;phoenix;
    pittsburgh;portland;prague;pretoria;princeton;providence;provo;pyongyang;quito;rabat;racine;
    raleigh;ramallah;rapid city;reno;reykjavik;richmond;riga;rio de janeiro;riyadh;rochester;rome;
    rotterdam;sacramento;salem;salinas;salt lake city;salzburg;san antonio;san bernardino;
    san diego;san francisco;san jose;san juan;sanaa;santa ana;santa barbara;santa cruz;santa fe;
    santa monica;santiago;sao paulo;são paulo;sarajevo;sarasota;savannah;scottsdale;scranton;
    seattle;seoul;sevastopol;seville;shanghai;sheffield;shenzhen;shreveport;silicon valley;
    sioux falls;sofia;south bend;southampton;spokane;springfield;srebrenica;st. louis;st. paul;
    st. petersburg;stamford;stockholm;stuttgart;sydney;syracuse;tacoma;taipei;tallahassee;tallinn;
    tampa;tampa bay;tashkent;tbilisi;tegucigalpa;tehran;tel aviv;tempe;tijuana;tirana;tokyo;toledo;
    topeka;toronto;tripoli;tucson;tulsa;tunis;turin;uvalde;utrecht;valencia;vancouver;venice;
    versailles;vicenza;vienna;vilnius;virginia beach;waco;warsaw;washington dc;wichita;wilmington;
    winnipeg;winston-salem;wuhan;yangon;yekaterinburg;yerevan;yokohama;zagreb;zaporizhzhia;zurich;
    worcester;reading"""
_REGIONS = """africa;america;antarctica;appalachia;arctic;asia;atlantic;balkans;baltics;
    capitol hill;caribbean;caucasus;central america;central park;chinatown;cornwall;crimea;earth;
    east coast;eastern europe;europe;france;gaza;gaza strip;gulf coast;gulf of mexico;harlem;
    hawaii;himalayas;holy land;hollywood hills;kent;lapland;latin america;long island;mar-a-lago;
    martha's vineyard;mediterranean;middle east;midwest;new england;north america;
    northern california;southern california;pacific;pacific northwest;pacific ocean;atlantic ocean;
    persian gulf;red sea;black sea;rust belt;rockies;sahara;scandinavia;silicon valley;
    south america;south china sea;southeast asia;sun belt;times square;ground zero;upper peninsula;
    west africa;west bank;west coast;western europe;west side;east side;yorkshire;zion;yosemite;
    yellowstone;grand canyon;alps;andes;amazon rainforest;arabian peninsula;korean peninsula;sinai;
    golan heights;east jerusalem;staten island;queens;bronx;brooklyn;wall street;buckingham palace;
    downing street;capitol;london bridge;guantanamo;guantanamo bay;bay area;central valley;
    twin cities;downtown;florida keys;key west;cape cod;outer banks;lake tahoe;mount everest;
    everest;kilimanjaro;kremlin wall;white cliffs;sonoran desert;mojave desert;ozarks;delmarva;
    tri-state"""


def _split(names: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in names.split(";"))


COUNTRIES = _split(_COUNTRY_NAMES)
STATES = _split(_STATES)
CITIES = _split(_CITIES)
PLACES = COUNTRIES | STATES | CITIES | _split(_REGIONS)

# Spellings of one place or organisation, by its usual name.
ALIASES: dict[str, str] = {
    alias: usual
    for usual, aliases in {
        "United States": "u.s;u.s.a;us;usa;united states of america;america",
        "United Kingdom": "u.k;uk;britain;great britain",
        "European Union": "e.u;eu",
        "United Nations": "u.n;un",
        "United Arab Emirates": "uae;u.a.e",
        "Kyiv": "kiev",
        "Turkey": "türkiye",
        "Czech Republic": "czechia",
        "New York City": "nyc",
        "Washington, D.C.": "d.c;dc;washington dc;washington d.c",
        "Los Angeles": "l.a",
        "Republican Party": "gop;g.o.p",
        "FBI": "federal bureau of investigation",
        "CDC": "centers for disease control and prevention;centers for disease control",
        "FDA": "food and drug administration",
        "CIA": "central intelligence agency",
        "World Health Organization": "world health organisation",
        "Associated Press": "ap",
        "Department of Justice": "doj;justice department",
        "NATO": "north atlantic treaty organization",
        "North Korea": "dprk",
    }.items()
    for alias in aliases.split(";")
}
