"""The handlers decide: conversation, workflow, deadlines, notices and the verbs.

Synchronous, without network or clock. Pure (data in, data out): ``dialogue``, ``talk``,
``questionnaire``, ``reading``, ``rules``, ``texts`` and ``lengths``.

authority: who may: the one answer, for verbs and for pages
breaches: a data breach: recorded, told to the authority and to every reporter
cases: the verbs on cases: of officers, of reporters, and of the clock
conversation: carries out what the dialogue decided: remembers, seals, runs commands
dialogue: state + message -> turn: the state machine; fourth of the five files; pure
errors: what the handlers refuse, each with its message and policy
evidence: a file is taken or refused; an officer classifies it
inbox: receives a message once, in one transaction; third of the five files
lengths: length of a text for a provider: how to cut it, how many SMS it is; pure
messages: ``Incoming``, ``Reply`` and what else passes between bot and dialogue
notices: what reporters and officers are told
office: what an installation knows when it decides: keys, rules, texts, time zone
people: officers join, are confirmed, leave
quarantine: messages that could not be understood: keep, release
questionnaire: steps, choices and keywords as data, and their proof; pure
reading: what a reporter's own words say of the accused and the subject, as codes; pure
retention: what ends by itself: reports by their rules, traces of people by theirs
reveals: two people open an identity or an original
rules: law and practice of a jurisdiction as tables: workflow, deadlines, routing; pure
talk: the parts of the dialogue; pure
texts: renders messages from gettext catalogues; pure
throttle: limits messages and tries of a code for each contact, in memory
watch: alarms to operators, the canary's report, the auditors' digest
work: what a verb works with: the store of its transaction, the office, the moment
"""
