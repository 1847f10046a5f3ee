"""Whether two answers to one question say the same."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.comparators import text_similarity
from harness.comparators._text.near_copies import compare_near
from harness.comparators._text.overlap import OVERLAPS
from harness.core.case import Case, Provenance, Recording
from harness.core.chat import Conversation, Message, Text
from harness.core.output import Chat, Document, Filter, Output, StopReason
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError

QUESTION = "When does my order ship and how much did I pay?"
ANSWER = (
    "Your order ships on 14 March 2024 from the Leeds warehouse. You paid £1,200 including VAT. "
    "It will arrive within three working days."
)
SIDES = pytest.mark.parametrize("swapped", [False, True], ids=["target", "source"])


def case(question: str = QUESTION) -> Case:
    recording = Recording(id="c", service="s", operation="o", provenance=Provenance(captured_at=None, captured_from=""))
    request = Conversation(messages=(Message("user", (Text(question),)),)).request({})
    return Case(id="c", suite="t", request=request, recording=recording, cluster="c")


def compare(source: Output | str, target: Output | str, question: str = QUESTION, **options: bool) -> Comparison:
    sides = [Chat(text=one) if isinstance(one, str) else one for one in (source, target)]
    return text_similarity.build(**options).compare(*sides, case=case(question))


def test_it_compares_and_its_value_is_a_score():
    built = text_similarity.build()
    assert isinstance(built, Comparator)
    assert built.kinds == ("score",)


def test_settings_and_model_stand_in_the_signature():
    signature = text_similarity.build().signature()
    assert signature.startswith("text_similarity|complete:true|model:shipped:")
    assert signature != text_similarity.build(complete=False).signature()


def test_an_option_of_the_wrong_kind_is_refused():
    with pytest.raises(ConfigError, match="complete must be true or false"):
        text_similarity.build(complete="yes")


@pytest.mark.parametrize(
    "target",
    [
        "You paid £1,200 including VAT. Your order ships on 14 March 2024 from the Leeds warehouse. "
        "It will arrive within 3 working days.",
        "The order will leave our warehouse in Leeds on March 14, 2024. The amount paid was 1200 pounds, VAT included, "
        "and delivery takes three business days.",
        "Your order ships on the 14th of March 2024, from the Leeds warehouse. In total you've paid GBP 1200 "
        "(including VAT), and it will arrive within three working days.",
    ],
)
def test_a_paraphrase_is_the_same(target):
    found = compare(ANSWER, target)
    assert found.status is Status.MATCH, found.reason
    assert found.value > 0.9


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("14 March", "15 March", "target says 15, source says 14"),
        ("£1,200", "£2,100", "target says 2,100, source says 1,200"),
        ("Leeds", "Bristol", "target says Bristol, source says Leeds"),
        ("will arrive", "will not arrive", "the sense is turned around"),
        ("You paid £1,200 including VAT. ", "", 'the target leaves out "You paid £1,200 including VAT"'),
        ("days.", "days. A gift card from Harrods is included.", 'the target adds "A gift card from Harrods'),
        ("VAT. It will arrive within three working days.", "", "the target's answer is cut off"),
    ],
)
def test_a_planted_defect_is_found_and_named(old, new, reason):
    found = compare(ANSWER, ANSWER.replace(old, new))
    assert found.status is Status.MISMATCH
    assert found.value <= 0.2
    assert reason in found.reason


def test_an_extra_sentence_counts_only_where_the_answer_is_to_be_complete():
    longer = f"{ANSWER} A gift card from Harrods is included."
    assert compare(ANSWER, longer, complete=True).value <= 0.2
    assert compare(ANSWER, longer, complete=False).value > 0.9


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Chat(text="I'm sorry, but I can't help with that request."), "the {side} refuses"),
        (Chat(text="", refusal="No."), "the {side} refuses"),
        (
            Chat(text="", filter=Filter(blocked=True), stop=StopReason.FILTER),
            "the {side}'s answer is blocked by a filter",
        ),
        (Chat(text=" \n"), "the {side}'s answer is empty"),
        (Chat(text=ANSWER[:60], stop=StopReason.LENGTH), "the {side}'s answer is cut off"),
    ],
)
@SIDES
def test_an_outcome_of_one_side_alone_scores_0(outcome, reason, swapped):
    pair = (outcome, ANSWER) if swapped else (ANSWER, outcome)
    found = compare(*pair)
    assert (found.status, found.value) == (Status.MISMATCH, 0.0)
    assert reason.format(side="source" if swapped else "target") in found.reason


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Chat(text="I cannot help with that."), Chat(text="", refusal="I must decline.")),
        (Chat(text="", filter=Filter(blocked=True)), Chat(text="Blocked.", stop=StopReason.FILTER)),
        (Chat(text="I'm sorry, but I cannot assist with that."), Chat(text="", filter=Filter(blocked=True))),
        (Chat(text=""), Chat(text=" ")),
    ],
)
def test_the_same_outcome_of_both_is_a_match(source, target):
    found = compare(source, target)
    assert (found.status, found.value) == (Status.MATCH, 1.0)


def test_only_the_sources_own_kind_makes_a_case_incomparable():
    assert compare(Document(value=1), ANSWER).status is Status.INCOMPARABLE
    assert compare(ANSWER, Document(value=1)).status is Status.MISMATCH


@pytest.mark.parametrize(
    ("question", "source", "target", "same"),
    [
        ("who wrote dracula", "Bram Stoker", "Dracula was written by the Irish author Bram Stoker in 1897.", True),
        ("who wrote dracula", "Bram Stoker", "Mary Shelley wrote it.", False),
        ("how many legs has a spider", "Eight.", "A spider has 8 legs.", True),
        ("how many legs has a spider", "A spider has six legs.", "A spider has 8 legs.", False),
        ("is it open on Sunday", "Yes, it is open.", "No, it is not open.", False),
        ("who runs it", "The United Nations runs it.", "It is run by the UN.", True),
    ],
)
def test_short_answers_are_judged_by_what_was_asked(question, source, target, same):
    value = compare(source, target, question, complete=False).value
    assert value > 0.85 if same else value < 0.4


def test_without_a_question_or_in_another_script_it_says_that_it_is_uncalibrated():
    assert "(uncalibrated: no question)" in compare(ANSWER, ANSWER[10:], "").reason
    found = compare("東京です。", "大阪です。", "日本の首都は？")
    assert "another script" in found.reason
    assert found.status is Status.MISMATCH


def test_an_answer_in_another_language_is_told():
    german = (
        "Ihre Bestellung wird am 14. März 2024 aus dem Lager in Leeds versandt. Sie haben 1.200 £ inklusive "
        "Mehrwertsteuer bezahlt und die Lieferung ist in drei Tagen bei Ihnen."
    )
    found = compare(ANSWER, german)
    assert found.value <= 0.2
    assert "the target answers in German, the source in English" in found.reason


texts = st.one_of(st.text(max_size=300), st.text(alphabet="aA .1,\n’$٣東e\u0301", max_size=300))


@given(question=texts, source=texts, target=texts)
@settings(max_examples=150, deadline=None)
def test_any_texts_get_a_score_within_bounds_and_the_same_one_swapped(question, source, target):
    found, back = compare(source, target, question), compare(target, source, question)
    assert 0.0 <= found.value <= 1.0
    assert found.value == pytest.approx(back.value, abs=1e-12)
    assert found == compare(source, target, question)


@given(text=texts, question=texts)
@settings(max_examples=60, deadline=None)
def test_a_text_is_the_same_as_itself(text, question):
    assert compare(text, text, question).value == 1.0


@pytest.mark.parametrize(
    "unit", ["a ", "1,", "1", "A.", "'", "million ", "No. ", "Ab", "e\u0301", "東", "\n", "is not ", "$"]
)
def test_time_grows_no_faster_than_the_text(unit):
    """Work is counted in tokens; a text of 20,000 characters that made it grow with the square would take minutes."""
    text = unit * (20_000 // len(unit))
    assert compare(text, text + " and 7 more", "what is it").value is not None


ASKED = "Write a function that adds two numbers."


def fenced(code: str, language: str = "python") -> str:
    return f"Here it is:\n```{language}\n{code}\n```"


@pytest.mark.parametrize(
    ("source", "target", "language"),
    [
        ("def add(a, b):\n    return a + b", 'def add(a,b):\n  """Adds."""\n  # the sum\n  return (a+b)', "python"),
        ('{"a": 1, "b": [2]}', '{"b":[2],\n "a":1}', "json"),
        ("int f() { return 1; } // one", "int f()\n{\n  return 1;\n}", "c"),
        ("SELECT a FROM t", "SELECT a\n  FROM t -- all", "sql"),
    ],
)
def test_the_same_program_is_the_same_however_it_is_laid_out(source, target, language):
    found = compare(fenced(source, language), fenced(target, language), ASKED)
    assert "code" not in found.reason
    assert (found.value or 0) > 0.5


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"),
        ("if n < 3:\n    stop()", "if n <= 3:\n    stop()"),
        ("rm -rf ./build", "rm -rf /build"),
    ],
)
def test_another_operator_is_another_program(source, target):
    found = compare(fenced(source), fenced(target), ASKED)
    assert found.value is not None and found.value <= 0.5
    assert "code" in found.reason


def test_code_that_is_not_there_is_told():
    assert "gives no code" in compare(fenced("print(1)"), "Here it is: you call print.", ASKED).reason


@pytest.mark.parametrize("text", ["```", "```\n", "~~~python\n\x00", "```py\n" + "(" * 5000, "```json\n" + "[" * 5000])
def test_fences_of_any_kind_are_borne(text):
    assert compare(text, text + " ", ASKED).value is not None


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("You can bring a dog.", "You cannot bring a dog."),
        ("The bottle is refillable.", "The bottle is non-refillable."),
        ("The hall is heated.", "The hall is unheated."),
        ("Guests must be at least 12.", "Guests must be at most 12."),
        ("Staff must log out.", "Staff may log out."),
        ("All rooms have a balcony.", "Some rooms have a balcony."),
        ("The gym opens before 8.", "The gym opens after 8."),
        ("Sales increased in May.", "Sales fell in May."),
        ("Turn left at the bank.", "Turn right at the bank."),
        ("The balance is -12.", "The balance is 12."),
        ("Stop when x <= 3.", "Stop when x < 3."),
        ("They won 4-2.", "They won 2-4."),
        ("It needs Ruby 3.1.", "It needs Ruby 3.10."),
        ("Es kostet 1.234,56 Euro.", "Es kostet 1.234,65 Euro."),
        ("Take 5 mg daily.", "Take 5 g daily."),
        ("It costs $8.", "It costs £8."),
        ("It closes at 7 am.", "It closes at 7 pm."),
        ("Kenya beat Ghana.", "Ghana beat Kenya."),
        ("Ann has 3 pears and Tim has 5.", "Ann has 5 pears and Tim has 3."),
        ("The bus goes from Bath to York.", "The bus goes from York to Bath."),
        ("Rome defeated Carthage.", "Rome was defeated by Carthage."),
        ("Open https://example.com/a first.", "Open https://example.com/b first."),
        ("Write to ann@example.com.", "Write to tim@example.com."),
        ("Run it with --soft.", "Run it with --hard."),
        ("Sie ist erlaubt.", "Sie ist nicht erlaubt."),
        ("Le prix est juste.", "Le prix n'est pas juste."),
        ("Es seguro nadar.", "No es seguro nadar."),
        ("可以退款。", "不可以退款。"),
        ("Вы можете отменить.", "Вы не можете отменить."),
    ],
)
@pytest.mark.parametrize("complete", [True, False])
def test_one_small_word_makes_near_copies_different(source, target, complete):
    found = compare(source, target, "?", complete=complete)
    assert found.status is Status.MISMATCH
    assert found.value is not None and found.value <= 0.2
    assert found.reason.startswith("different: ")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("The cave is not safe.", "The cave is unsafe."),
        ("You can't park there.", "You cannot park there."),
        ("Mars is smaller than Venus.", "Venus is larger than Mars."),
        ("Rome defeated Carthage.", "Carthage was defeated by Rome."),
        ("The flag is red, white and blue.", "The flag is blue, white and red."),
        ("Berlin ist die Hauptstadt.", "Die Hauptstadt ist Berlin."),
        ("The pool is 5 km away.", "The pool is 5,000 metres away."),
        ("It takes 2 h.", "It takes 120 minutes."),
        ("It takes an hour and a half.", "It takes 90 minutes."),
        ("Half of it is sold.", "50 % of it is sold."),
        ("It starts at 3:30 pm.", "It starts at 15:30."),
        ("It seats one hundred and five.", "It seats 105."),
        ("About 1.5 million came.", "Around 1,500,000 came."),
        ("Water boils at 100 °C.", "Water boils at 212 °F."),
        ("Es kostet 1.234,56 €.", "Es kostet 1234,56 Euro."),
        ("It costs USD 1,500.", "It costs $1500."),
        ("Due on 2024-03-05.", "Due on 5 March 2024."),
        ("Children get in free of charge.", "Kids get in for free."),
        ("The colour is grey.", "The color is gray."),
    ],
)
def test_other_words_for_the_same_are_the_same(source, target):
    found = compare(source, target, "?")
    assert found.status is Status.MATCH, found.reason


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Ask Marion Cole.", "Ask Marian Cole."),
        ("Members get the discount.", "Only members get the discount."),
        ("The soup is salty.", "The soup is creamy."),
    ],
)
def test_what_may_be_the_same_is_not_shown_to_be(source, target):
    found = compare(source, target, "?")
    assert found.status is Status.MISMATCH
    assert found.reason.startswith("not shown: ")


@pytest.mark.parametrize(
    "unit", ["a@", "a.", "1.", "-a", "http://", "1/", "é'", "not ", "5 km ", "x_", "(", "a-1", "١"]
)
def test_items_of_a_long_text_are_read_in_time_that_grows_with_it(unit):
    text = unit * (100_000 // len(unit))
    start = time.process_time()
    assert compare_near(text, text + " not") is not None or len(text.split()) == 1
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("source", "target", "rouge_l", "chrf"),
    [
        ("The cat sat on the mat.", "A cat sat on a mat, purring", 0.6153846153846153, 0.3899403856840774),
        ("Zürich 2024", "in Zurich, 2024", 0.3333333333333333, 0.3671235163336482),
        ("日本", "日本", 0.0, 1.0),
    ],
)
def test_overlaps_are_those_of_their_reference_packages(source, target, rouge_l, chrf):
    """Values of rouge-score 0.1.2 (rougeL, F1) and sacrebleu 2.5.1 (CHRF, divided by 100)."""
    for measure, value in (("rouge_l", rouge_l), ("chrf", chrf)):
        found = text_similarity.build(measure=measure).compare(Chat(text=source), Chat(text=target), case=case())
        assert found.value == pytest.approx(value, abs=1e-12)
        assert found.comparator == f"text_similarity|measure:{measure}"


@given(source=texts, target=texts)
@settings(max_examples=60, deadline=None)
def test_overlaps_lie_between_0_and_1(source, target):
    for measure in OVERLAPS.values():
        assert 0.0 <= measure(source, target) <= 1.0 + 1e-12


def test_an_overlap_takes_no_calibration_and_must_be_known():
    with pytest.raises(ConfigError, match="takes no calibration"):
        text_similarity.build(measure="chrf", calibration="labels.json")
    with pytest.raises(ConfigError, match="rouge_l"):
        text_similarity.build(measure="rouge")


def test_a_refusal_on_one_side_is_no_overlap():
    refused = Chat(text="I'm sorry, I cannot help with that.")
    assert text_similarity.build(measure="chrf").compare(Chat(text="Yes."), refused, case=case()).value == 0.0
