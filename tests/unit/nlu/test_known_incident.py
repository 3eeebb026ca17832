"""Trouble that is known: how it stands is said, the request is one of those that are told when it is over, nothing is asked."""

from nlu.turn import Manner, Phase
from nlu.understood import KnownIncident
from tests.fakes.talk import Talk
from tests.fakes.tools import FakeTools

OUTAGE = KnownIncident("7", "VPN лежит у всех", "Чиним, прогноз 14:30.")


def test_in_a_chat_it_is_said_and_a_request_joins_at_once() -> None:
    talk = Talk(tools=FakeTools(incidents={"network.vpn": OUTAGE}))
    turn = talk.says("VPN не подключается из дома")
    assert talk.replied() == ("known_incident",)
    assert "VPN лежит у всех" in (turn.replies[0].text or "")
    assert talk.ticket().tags == ("mass:7",)
    assert turn.state.phase is Phase.IDLE


def test_by_mail_the_acknowledgement_says_it_and_asks_nothing() -> None:
    talk = Talk(tools=FakeTools(incidents={"network.vpn": OUTAGE}), manner=Manner.MAIL)
    talk.says("VPN не подключается из дома", subject="VPN")
    ticket = talk.ticket()
    assert (ticket.tags, ticket.questions, ticket.articles) == (("mass:7",), (), ())
    assert "прогноз 14:30" in ticket.notice


def test_another_topic_and_a_desk_without_beacons_go_on_as_ever() -> None:
    talk = Talk(tools=FakeTools(incidents={"network.vpn": OUTAGE}))
    talk.says("Принтер зажевал бумагу")
    assert "known_incident" not in talk.replied()
    talk = Talk()
    talk.says("VPN не подключается из дома")
    assert "known_incident" not in talk.replied()
