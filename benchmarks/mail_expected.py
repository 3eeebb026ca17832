"""What the public sets of replies state, as facts: which lines of a text are the reply. Read by `benchmarks.mail_corpus`.

GitHub's, Zapier's and nylas' texts are the same mails under the same or other names, so one entry serves every copy of a text.
"""

Lines = list[tuple[int, int]]

_ZAPIER = "zapier_reply_parser/emails/"
_QUOTEQUAIL = "quotequail/files/"
_TALON = "talon/fixtures/"

# First and last lines (from 1) of what the person wrote, without signature; or the words themselves.
REPLIES: dict[str, Lines | str] = {
    f"{_ZAPIER}correct_sig.txt": [(1, 1)],
    f"{_ZAPIER}email_1_1.txt": [(1, 5)],
    f"{_ZAPIER}email_1_2.txt": [(1, 1), (9, 34)],
    f"{_ZAPIER}email_1_3.txt": [(1, 3)],
    f"{_ZAPIER}email_1_4.txt": [(1, 1)],
    f"{_ZAPIER}email_1_5.txt": [(1, 15)],
    f"{_ZAPIER}email_1_6.txt": [(1, 3)],
    f"{_ZAPIER}email_1_7.txt": [(1, 1)],
    f"{_ZAPIER}email_1_8.txt": [(13, 13), (19, 19)],
    f"{_ZAPIER}email_2_1.txt": [(1, 1)],
    f"{_ZAPIER}email_2_2.txt": [(1, 1)],
    f"{_ZAPIER}email_2_3.txt": [(1, 1)],
    f"{_ZAPIER}email_BlackBerry.txt": [(1, 1)],
    f"{_ZAPIER}email_bullets.txt": [(1, 9)],
    f"{_ZAPIER}email_gmail.txt": [(1, 1)],
    f"{_ZAPIER}email_headers_no_delimiter.txt": [(1, 1)],
    f"{_ZAPIER}email_iPhone.txt": [(1, 1)],
    f"{_ZAPIER}email_multi_word_sent_from_my_mobile_device.txt": [(1, 1)],
    f"{_ZAPIER}email_one_is_not_on.txt": [(1, 5)],
    f"{_ZAPIER}email_partial_quote_header.txt": [(1, 6)],
    f"{_ZAPIER}email_sent_from_my_not_signature.txt": [(1, 3)],
    f"{_ZAPIER}email_sig_delimiter_in_middle_of_line.txt": [(1, 7)],
    f"{_ZAPIER}greedy_on.txt": [(1, 6)],
    f"{_ZAPIER}pathological.txt": [(1, 2)],
    "github_reply_parser/emails/email_2_3.txt": [(1, 1)],
    "nylas_quoted_html/email_1_7.txt": [(1, 3)],
    f"{_TALON}OLK_SRC_BODY_SECTION.html": "Reply",
    f"{_TALON}reply-separated-by-hr.html": "Hi\nthere\nBob",
    f"{_TALON}reply-quotations-share-block.eml": (
        "Hi Katharine. Sounds great. Are there and dietry restrictions or things your husband does/doesn't like to eat? Would you like to "
        "do a few hors d oeuvres and then a 3 or 4 course dinner? Let me know what you think will work best and I will start working on a "
        "menu and proposal. Thanks so much and look forward to hearing from you soon.\nJoe XXX"
    ),
    f"{_TALON}signature/emails/P/unicode_msg": (
        "Добрый день.\n\nМы являемся стартапом работающим над созданием платформы\nпочтовых электронных сообщений. Нам бы хотелось "
        "использовать Ваш продукт\nдля решения задач парсинга сообщений. Если Вы заинтересованы, пожалуйста\nответьте на это письмо."
    ),
    f"{_QUOTEQUAIL}apple_reply.html": "Foo\nBar",
    f"{_QUOTEQUAIL}gmail_reply.html": "foo\nbar",
    f"{_QUOTEQUAIL}ios_mail_reply_unescaped_address.html": "Sounds good, I'll be there at 2.",
    f"{_QUOTEQUAIL}yahoo_reply_unescaped_address.html": (
        "Thanks Jane, that looks great. One question on item 2 - can we ship it before Friday?\nDan"
    ),
    # A forward is content, whatever it is wrapped in.
    f"{_QUOTEQUAIL}apple_forward.html": (
        "test\nblah\nBegin forwarded message:\nFrom: Foo Bar <foo@bar.example>\nSubject: The Subject\n"
        "Date: March 24, 2016 at 20:16:25 GMT+1\nTo: John Doe <john@doe.example>\nText of the original email"
    ),
    f"{_QUOTEQUAIL}gmail_forward.html": (
        "test\nblah\n---------- Forwarded message ----------\nFrom: Foo Bar <foo@bar.example>\nDate: Thu, Mar 24, 2016 at 5:17 PM\n"
        "Subject: The Subject\nTo: John Doe <john@doe.example>\nSome text"
    ),
    f"{_QUOTEQUAIL}outlook_forward.html": (
        "Original message\nMore text\nFrom: John Doe\nSent: Wednesday, July 09, 2014 10:27 AM\nTo: Foo Bar (foo@bar.example)\n"
        "Subject: The subject!\nHi Foo,\nHow are you doing?\nJohn"
    ),
    f"{_QUOTEQUAIL}thunderbird_forward.html": (
        "-------- Forwarded Message --------\nSubject: Re: Example subject\nDate: Tue, 3 May 2016 14:54:27 +0200 (CEST)\n"
        "From: John Doe <johndoe@example.com>\nTo: Foo Bar <foobar@example.com>\nDear John,\nThis is a test."
    ),
}
