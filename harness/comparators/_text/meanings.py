"""Closed lists of what small words mean: words for the same thing, opposites, scales of degree, negators by language.

A word stands here by its dictionary form or by a form of its own; `near_copies` looks up both the form and the stem.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.comparators._text.vocabulary import word_set

# Each line: words that may stand for each other, the first naming them all. Underscores join what PHRASES makes one.
_ALIKE = """
start begin began begun commence started
end finish conclude terminate ended
gray grey
big large huge sizable
small little tiny
buy purchase bought
sell sold
child kid children kids
movie film
company firm corporation business
employee worker staff
doctor physician
immediately instantly at_once straightaway
quick fast rapid swift
happen occur
allow permit
forbid prohibit ban forbidden disallow forbade
approximately about roughly around circa approx ca nearly almost
close shut closed
choose select pick chose chosen
show display shown
use utilize utilise
get obtain receive got gotten
give provide supply gave given
help assist aid
need require necessary
accept approve accepted
reject refuse decline deny
convert transform turn_into
make create produce made manufacture
build construct built
keep retain kept
send dispatch ship sent
contact reach
open opened
answer reply respond response
find locate found
car automobile vehicle
house home
road street
usually normally generally typically
often frequently
sometimes occasionally now_and_then
rarely seldom hardly_ever
always constantly invariably
mandatory compulsory obligatory
optional voluntary
free gratis complimentary
cheap inexpensive
expensive costly pricey
important significant crucial essential key
difficult hard tough
easy simple effortless
correct right true accurate
false wrong incorrect untrue inaccurate
increase rise grow raise rose risen grew grown raised go_up went_up climb enlarge
decrease fall drop reduce lower decline fell fallen diminish go_down went_down shrink shrank shrunk
win won
lose lost
defeat beat beaten
before prior_to ahead_of
after following
above over more_than greater_than exceeding exceed exceeds
below under less_than fewer_than
at_least minimum
at_most maximum up_to
max maximum
daily each_day day
weekly each_week week
monthly each_month month
yearly annually annual each_year
hourly each_hour
only solely exclusively
all every each everyone everybody everything
nobody none
most majority
many numerous
several various
also too additionally
but however though although
because since as_because
people persons person
pupil student
area region
town city
purpose aim goal
error mistake fault
fix repair
remove delete erase
add include included includes including
change modify alter
check verify
try attempt
say state tell said told
speak talk spoke spoken
write wrote written
know knew known
go went gone
come came
take took taken
see saw seen
run ran
hold held
lead led
leave left_behind depart
stand stood
meet met
pay paid
think thought
become became
bring brought
catch caught
teach taught
feel felt
lie lay
break broke broken
drive drove driven
eat ate eaten
fly flew flown
sing sang sung
sit sat
swim swam
throw threw thrown
wear wore worn
draw drew drawn
wake woke woken
spend spent
lend lent
understand understood
mean meant
own owned possess
live reside lived
work function
job occupation
picture image photo photograph
illness disease sickness
drug medicine medication
fee charge
price cost
holiday vacation
apartment flat
lift elevator
lorry truck
petrol gasoline gas
mobile cellphone cell_phone
shop store
earth globe
called named
famous renowned well_known
main primary principal chief
near close_to
far distant
whole entire complete
rest remainder
now currently presently
later afterwards
soon shortly
email e_mail
website site web_site
internet web
switch turn
click press
situated located
head leader boss
nation country
murder kill
die died pass_away
born birth
marry wed
war conflict
assault attack
rock stone
sea ocean
rich wealthy
poor needy
inside within_place
via through
enough sufficient
whether if
maybe perhaps possibly
certainly definitely surely
probably likely
unlikely improbable
however nevertheless
thus therefore hence consequently
"""

# Each line: two sides of one coin, each by the names above or by a word of its own.
_OPPOSED = """
start end
big small
long short
buy sell
buyer seller
allow forbid
close open
accept reject
accept refuse
mandatory optional
cheap expensive
important trivial
difficult easy
correct false
increase decrease
win lose
winner loser
before after
before during
within after
above below
at_least at_most
above at_most
below at_least
more less
more fewer
most least
most fewest
max min
maximum minimum
minimal maximal
first last
first final
left right
up down
upper lower
on off
in out
inside outside
internal external
inner outer
indoor outdoor
indoors outdoors
with without
include exclude
including except
including excluding
add except
add exclude
add remove
import export
importer exporter
enable disable
yes no
old new
old young
older younger
older newer
oldest newest
oldest youngest
early late
earlier later
earliest latest
high low
higher lower
highest lowest
larger smaller
bigger smaller
largest smallest
biggest smallest
longer shorter
longest shortest
faster slower
fastest slowest
quick slow
hot cold
warm cool
warmer cooler
hotter colder
dry wet
full empty
good bad
better worse
best worst
strong weak
stronger weaker
heavy light
heavier lighter
dark light
day night
am pm
morning evening
male female
man woman
men women
boy girl
father mother
son daughter
brother sister
husband wife
king queen
he she
his her
him her
north south
east west
northern southern
eastern western
arrive leave
arrival departure
enter exit
push pull
pass fail
success failure
succeed fail
agree disagree
love hate
like dislike
present absent
presence absence
public private
legal illegal
positive negative
plus minus
profit loss
asset liability
credit debit
deposit withdraw
deposit withdrawal
borrow lend
lender borrower
employer employee
landlord tenant
teacher pupil
parent child
client server
source target
sender recipient
send get
upload download
input output
read write
encrypt decrypt
compress decompress
lock unlock
connect disconnect
install uninstall
subscribe unsubscribe
show hide
visible hidden
active inactive
alive dead
live die
born die
safe dangerous
healthy ill
guilty innocent
friend enemy
attack defend
north_of south_of
horizontal vertical
parallel perpendicular
even odd
single married
single double
single multiple
temporary permanent
static dynamic
synchronous asynchronous
mutable immutable
ascending descending
ascend descend
forward backward
forwards backwards
front back
top bottom
beginning end
upstream downstream
clockwise anticlockwise
clockwise counterclockwise
majority minority
domestic foreign
domestic international
wholesale retail
gross net
fixed variable
hard soft
rough smooth
sharp blunt
thick thin
wide narrow
deep shallow
near far
always never
sometimes never
often rarely
usually rarely
certainly maybe
likely unlikely
possible impossible
until since
not_before not_after
not_before not_after
by_latest from_earliest
everywhere nowhere
everybody nobody
all nobody
something nothing
both neither
both either
to from
by after
start stop
keep stop
continue stop
either neither
and nor
supply demand
confirm deny
simple complex
extend shorten
expand contract
widen narrow
strengthen weaken
lengthen shorten
improve worsen
gain lose
gained lost
loss gain
ceo cfo
virus bacterium
viral bacterial
solid liquid
acid base
acidic alkaline
proton electron
artery vein
mild severe
acute chronic
benign malignant
hypertension hypotension
hyperglycemia hypoglycemia
hyperthermia hypothermia
systolic diastolic
inhale exhale
weekday weekend
weekdays weekends
spring autumn
summer winter
today tomorrow
yesterday tomorrow
yesterday today
offnen schliessen
offnet schliesst
vor nach
mit ohne
immer nie
alle keine
links rechts
heiss kalt
erlaubt verboten
richtig falsch
muss kann
mehr weniger
mindestens hochstens
steigt sinkt
stieg sank
gestiegen gesunken
avant apres
avec sans
toujours jamais
plus moins
gauche droite
ouvert ferme
ouvre ferme
autorise interdit
vrai faux
doit peut
antes despues
con sin
siempre nunca
mas menos
izquierda derecha
abierto cerrado
abre cierra
permitido prohibido
verdadero falso
sube baja
debe puede
prima dopo
sempre mai
aperto chiuso
apre chiude
sinistra destra
voor na
met zonder
altijd nooit
meer minder
open dicht
можно нельзя
до после
больше меньше
всегда никогда
"""

# Degrees of one thing: another degree is another statement. Words on one line of a scale say the same degree.
_DEGREES = {
    "duty": ("must shall have_to has_to had_to", "should ought", "can may might could", "will"),
    "amount": ("all both", "most", "many much", "some several", "few", "nobody nothing no"),
    "frequency": ("always", "usually", "often", "sometimes", "rarely", "never"),
    "likelihood": ("certainly", "probably", "maybe"),
    "period": ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "once", "twice"),
    "speed of change": ("slightly", "sharply"),
    "day": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "season": ("spring", "summer", "autumn fall", "winter"),
    "colour": ("red", "green", "blue", "yellow", "black", "white", "orange", "purple", "pink", "brown", "gray"),
    "direction": ("north", "south", "east", "west"),
    "size": ("small", "medium", "large big"),
}

# Several words that are one: as they stand in a text -> what is read instead.
_PHRASES = """
at least = at_least
no less than = at_least
no fewer than = at_least
not less than = at_least
not fewer than = at_least
or more = at_least
or older = at_least
or over = at_least
or above = at_least
and over = at_least
and above = at_least
and older = at_least
a minimum of = at_least
minimum of = at_least
at most = at_most
no more than = at_most
not more than = at_most
up to = at_most
or less = at_most
or fewer = at_most
or under = at_most
or younger = at_most
or below = at_most
a maximum of = at_most
maximum of = at_most
more than = above
greater than = above
less than = below
fewer than = below
no later than = by_latest
not later than = by_latest
no earlier than = from_earliest
not earlier than = from_earliest
not before = from_earliest
prior to = before
ahead of = before
subsequent to = after
free of charge = no charge
at no charge = no charge
for free = no charge
no one = nobody
not any = no
at once = immediately
right away = immediately
straight away = immediately
as well as = and
have to = must
has to = must
had to = must
is required to = must
are required to = must
need to = must
needs to = must
is able to = can
are able to = can
is allowed to = can
are allowed to = can
is permitted to = can
are permitted to = can
is not able to = can not
is not allowed to = can not
are not allowed to = can not
is unable to = can not
are unable to = can not
turn off = switch off
turn on = switch on
shut down = switch off
every day = daily
each day = daily
every week = weekly
each week = weekly
every month = monthly
each month = monthly
every year = yearly
each year = yearly
per year = yearly
a year = yearly
per month = monthly
per week = weekly
per day = daily
every hour = hourly
take place = happen
takes place = happen
took place = happen
is held = happen
was held = happen
are held = happen
go up = increase
went up = increase
goes up = increase
gone up = increase
go down = decrease
went down = decrease
goes down = decrease
turn into = convert
change into = convert
pass away = die
passed away = die
as soon as possible = immediately
in order to = to
due to = because
because of = because
owing to = because
a lot of = many
lots of = many
a number of = several
a couple of = several
apart from = except
with the exception of = except
except for = except
other than = except
instead of = not
rather than = not
percentage points = percentage_points
percentage point = percentage_points
united states of america = usa
united states = usa
the us = usa
u s a = usa
u s = usa
united kingdom = uk
great britain = uk
et cetera = etc
for example = eg
for instance = eg
such as = eg
that is = ie
"""

# Words that turn the sense around, by language, diacritics folded. What is a word of another kind in a neighbouring
# language ("mai", "plus", "sin") is left out unless it is rare there.
NEGATORS = word_set(
    """
    not no never neither nor nobody nothing nowhere without cannot hardly barely none non
    nicht kein keine keinen keinem keiner keines nie niemals ohne weder niemand nichts
    ne jamais aucun aucune sans
    nunca jamas sin ningun ninguna ninguno tampoco nadie
    senza nessuno nessuna
    nao sem nenhum nenhuma
    niet geen nooit zonder
    nie bez nigdy
    не нет нельзя без никогда нету ни
    لا ليس لم لن غير بدون
    नही नहीं बिना
    不 没 未 无 沒 無
    """
)

# Prefixes that make the opposite of what follows.
OPPOSITE_PREFIXES = ("un", "in", "im", "il", "ir", "non", "dis", "mis", "anti")
NOT_OPPOSITE = word_set("invaluable inflammable inhabit inhabitable")
EXCLUSIVE = word_set("only except unless nur seulement solamente solo alleen только")
COPULAS = word_set("is are was were be ist sind war waren est sont etait es son era eran e sono : = - – — called 是 は")
COORDINATORS = word_set(", ; and or & und oder et ou y o e ed en и или plus")


def _canonical() -> dict[str, str]:
    made: dict[str, str] = {}
    for line in _ALIKE.split("\n"):
        words = line.split()
        for word in words:
            made.setdefault(word, words[0])
    return made


CANONICAL: Mapping[str, str] = MappingProxyType(_canonical())


def _opposed() -> dict[str, frozenset[str]]:
    made: dict[str, set[str]] = {}
    for line in _OPPOSED.split("\n"):
        if line:
            one, other = line.split()
            made.setdefault(one, set()).add(other)
            made.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in made.items()}


OPPOSITES: Mapping[str, frozenset[str]] = MappingProxyType(_opposed())
DEGREES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        word: (scale, degree)
        for scale, degrees in _DEGREES.items()
        for degree, words in enumerate(degrees)
        for word in words.split()
    }
)


def _phrases() -> dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]:
    made: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for line in _PHRASES.strip().split("\n"):
        found, instead = (tuple(part.split()) for part in line.split("="))
        made.setdefault(found[0], []).append((found, instead))
    return {first: tuple(sorted(found, key=lambda pair: -len(pair[0]))) for first, found in made.items()}


PHRASES: Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = MappingProxyType(_phrases())
