"""An error says its sentence in a language, and to who looks after the desk also what it is about."""

from desk_core.kit.errors import Invalid, NotFound, TooLarge


def test_a_sentence_has_its_fields_in_it() -> None:
    assert TooLarge(limit="20 MB").said("en") == "This is larger than 20 MB. Please send it in parts or as a link."
    assert "20 MB" in TooLarge(limit="20 MB").said("ru")


def test_a_field_that_the_sentence_needs_and_nobody_gave_breaks_nothing() -> None:
    assert TooLarge().said("en").startswith("This is larger than")


def test_who_looks_after_the_desk_reads_what_it_is_about() -> None:
    assert NotFound(inbox="help", team=None).with_facts("en") == "There is nothing here by that name or number. (inbox: help)"
    assert Invalid(reason="no such zone").with_facts("en") == "This value does not fit: no such zone"
