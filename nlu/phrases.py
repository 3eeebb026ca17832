"""The words behind `nlu.lexicon`: phrases that steer a dialogue, ru and en, one phrase between bars, ё written as е."""

from nlu.understood import Intent

PHRASES: dict[Intent, str] = {
    Intent.HUMAN: """
        оператор|оператора|позовите оператора|позови оператора|соедините с оператором|соедини с оператором
        переключите на оператора|человек|человека|живой человек|живого человека|нужен человек|позовите человека|позови человека
        хочу человека|дайте человека|специалист|специалиста|позовите специалиста|нужен оператор|нужен специалист
        поговорить с человеком|хочу поговорить с человеком|хочу оператора|хочу поговорить с оператором|менеджера
        позовите менеджера|сотрудника|переведите на оператора|переведите на человека
        human|a human|operator|agent|person|real person|live agent|talk to a human|talk to a person|talk to an operator
        talk to someone|i want a human|i want to talk to a human|i want to talk to a person|speak to a human|speak to a person
        speak to an agent|speak to an operator|get me a human|call an operator|give me a human|i need a human|i need a person
        representative|human please|operator please|agent please|connect me to an operator|connect me to a human
        let me talk to a human|let me speak to a human
    """,
    Intent.CANCEL: """
        отмена|отмени|отмените|отменить|отменяй|не надо|уже не надо|ничего не надо|передумал|передумала|стоп|забудь|забудьте
        хватит|выйти|выход
        cancel|stop|never mind|nevermind|forget it|abort|quit|exit|cancel it|cancel this|cancel that
    """,
    Intent.BACK: """
        назад|вернись|вернуться|шаг назад|вернись назад|вернуться назад|предыдущий вопрос
        back|go back|previous|previous question|one step back|step back
    """,
    Intent.SKIP: """
        пропустить|пропусти|пропустим|пропускаем|дальше|не знаю|незнаю|хз|без понятия|понятия не имею|не помню|не важно|неважно
        не уверен|не уверена|затрудняюсь ответить|откуда мне знать|не могу сказать|нет информации
        skip|skip it|skip this|pass|next|i don't know|i dont know|don't know|dont know|dunno|no idea|not sure|i'm not sure
        im not sure|idk|i don't remember|don't remember|doesn't matter|does not matter|i do not know|do not know|i have no idea
    """,
    Intent.CONFIRM: """
        да|ага|угу|да да|верно|все верно|да все верно|правильно|все правильно|точно|конечно|подтверждаю|согласен|согласна|ок|окей
        хорошо|ладно|отправить|отправляй|отправляйте|отправь|да отправляйте|да отправляй|давай|давайте|годится|подходит|помогло
        да помогло|решено|решилось|заработало|все работает|работает|все заработало|уже работает|проблема решена|вопрос решен
        все решено|все получилось|получилось|да решено|да работает|да получилось|починилось|все ок|все хорошо|можно закрывать
        закрывайте|закройте
        yes|yep|yeah|yup|sure|right|correct|that's right|thats right|ok|okay|fine|send|send it|yes send it|go ahead|submit
        it helped|helped|that helped|yes it helped|solved|it's solved|its solved|it is solved|fixed|it's fixed|it works
        it works now|works now|works|resolved|all good|everything works|yes solved|yes it works|close it|you can close it
        please close it|close|looks good|done
    """,
    Intent.DENY: """
        нет|неа|не|нет не помогло|не помогло|не помогает|это не помогло|не то|не подходит|неверно|не верно|неправильно|не решено
        не решилось|не работает все равно|все равно не работает|нет не решено|нет не работает|не получилось|нет не получилось
        до сих пор не работает|по прежнему не работает|все еще не работает|не заработало|это не то|не мой случай
        no|nope|nah|not it|it did not help|it didn't help|didn't help|did not help|doesn't help|no it didn't|no it did not help
        not helpful|wrong|incorrect|not solved|not fixed|still broken|still not working|it still does not work
        it still doesn't work|still doesn't work|no it doesn't work|no not solved|not yet|not resolved
    """,
    Intent.THANKS: """
        спасибо|спс|спасибо большое|большое спасибо|огромное спасибо|благодарю|спасибо вам|пасиб|спасибочки|спасибо за помощь
        благодарю вас|хорошо спасибо|ок спасибо|понял спасибо|поняла спасибо|понятно спасибо|все понятно спасибо
        thanks|thank you|thx|ty|thanks a lot|thank you very much|many thanks|thank you so much|cheers|ok thanks|great thanks
        thanks for your help|thank you for your help|got it thanks
    """,
    Intent.GREET: """
        привет|приветствую|здравствуйте|здравствуй|добрый день|добрый вечер|доброе утро|доброго дня|доброго времени суток|здрасте
        здрасьте|здраствуйте|здравствуте|здраствуй|хай|приветик|здорово|салют|всем привет|день добрый
        hi|hello|hey|good morning|good afternoon|good evening|good day|hi there|hello there|hey there|greetings
    """,
    Intent.STATUS: """
        статус|мой статус|статус заявки|статус моей заявки|статус обращения|что с моей заявкой|что с моим обращением
        что по моей заявке|как дела с моей заявкой|как там моя заявка|когда решат|когда ответите|когда мне ответят|когда починят
        есть новости|есть новости по заявке|что с заявкой|что по заявке|что с обращением|а с заявкой|а с обращением
        status|my status|ticket status|request status|status of my request|what about my request|any news|any news on my request
        any update|any updates|what's the status|what is the status|what is the status of my request
        what's happening with my request|where is my request
    """,
    Intent.HELP: """
        помощь|помоги|помогите|справка|что ты умеешь|что вы умеете|как это работает|как пользоваться|что ты можешь|что вы можете
        чем ты можешь помочь|чем вы можете помочь|чем можешь помочь|чем можете помочь|что ты вообще умеешь|что умеешь
        help|help me|what can you do|how does this work|what can you do for me|how can you help|how can you help me|what do you do
        what are you able to do|what can i ask you
    """,
    Intent.EDIT: """
        изменить|исправить|поправить|изменить ответ|исправь|измени|хочу исправить|хочу изменить|редактировать|там ошибка
        edit|change|change it|fix it|i want to change it|correct it|there is a mistake|edit it
    """,
}

# Enough to tell an English sentence from a product name typed into a Russian conversation.
ENGLISH_GLUE = """
    the is it my i a to in on not and please what how do can does was are for of with have this that we you
"""

# A story made of these alone says nothing to work with ("ничего не работает").
VAGUE = """
    не ничего нифига никак работает работают работал все всё сломалось сломалась сломался сломано проблема проблемы беда
    помогите помощь нужна опять снова у меня мне с это срочно пожалуйста здравствуйте привет добрый день ошибка глючит тормозит
    нет есть вопрос один вас к вам можно it its is does not do doesn't don't work works working broken broke problem issue
    trouble error help need i have a an the my me nothing everything again please urgent hi hello there something wrong with
    question got
"""

# Patterns of what a sentence is made of that only closes a text. Whole words, lower case, ё as е.
CLOSING = r"""
    жду|ждем|ожидаю|ожидаем|(?:надеюсь|надеемся|рассчитываю) на|от вас|ваше(?:го|й)|вашу?|скор(?:ого|ейшего|ую)|быстр(?:ого|ый|ую)
    ответа?|помощ[ьи]|решени[яе]|звонка|реакци[июя]|обратной связи|понимание|буду|будем|очень|заранее|крайне|весьма
    благодар(?:ен|на|ны)|признател(?:ен|ьна|ьны)|прошу|просим|просьба|помоч[ьи]|помогите|выручайте|выручите|разобраться|ответить
    ускорить|пожалуйста|плиз|срочно|горит|критично|важно|немедленно|асап|как можно|поскорее|побыстрее|быстрее|скорее
    (?:вся )?работа (?:вся )?(?:стоит|встала)|(?:стоит|встала) (?:вся )?работа
    (?:клиенты|люди|заказчики|пациенты|покупатели|гости|все) (?:уже )?жд[еу]т
    это|так|и|уже|нам|мне|меня|мной|нас|нами|у|для|со|с|до|по|на|же
    (?:пере|по)?звоните|наберите|свяжитесь|дайте знать|напишите|на связи|номеру|внутреннему|доб|тел
    (?:самого )?утра|вчера|позавчера|сегодня|обеда|вечера|выходных|прошлой недели
    понедельника|вторника|среды|четверга|пятницы|субботы|воскресенья
    (?:второй|третий|четвертый|пятый) день|(?:вторую|третью) неделю|(?:два|три|четыре) дня|неделю|месяц|сих пор
    please|kindly|help(?: (?:me|us))?|(?:call|ring|phone) (?:me|us)(?: back)?|get back to (?:me|us)|let (?:me|us) know|reply|respond
    answer|response|waiting for|looking forward to|awaiting|(?:i'm|i am|we're|we are)|hear(?:ing)? (?:back )?from you|your?|soon|quick
    as soon as possible|asap|urgent(?:ly)?|critical|important|very|really|quite
    (?:it|this|that)(?: is| has been| has| was|'s)?|been|like this|going on|happening|since|for|the|an?|us|me|now|already
    today|tonight|yesterday|this (?:morning|week)|last (?:week|night|month)|(?:mon|tues|wednes|thurs|fri|satur|sun)day
    (?:two|three|four|several|a few) (?:hours|days|weeks)|(?:customers|clients|people|guests|patients) (?:are )?waiting|our|my
    work (?:has |is )?stopped|at a standstill|(?:i|we)(?: would)?(?: really)? appreciate|any help|would be (?:great|appreciated)|on|at
    ext(?:ension)?
"""
