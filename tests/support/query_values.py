"""Values of arguments for random queries about the edge case rows, as literals of GraphQL."""

from tests.support.shop_rows import OLENA_PHONE, id_of

NAMES = ("Olena", "Olena's old card", "deal 7", "deal 8", "found", "ring", "chat", "m1", "opened", "bad 1")
IDS = [f'"{id_of(name)}"' for name in NAMES]
VALUES = {
    "first": ["1", "2", "5", "null"],
    "last": ["1", "3"],
    "id": [*IDS, '"no id at all"'],
    "contact": IDS[:2],
    "deal": IDS[2:3],
    "conversation": IDS[6:7],
    "mergedInto": IDS[:1],
    "stage": ['"new"', '"won"', '""', "null"],
    "owner": ['""', '"taras@shop.ua"'],
    "field": [
        '[{name: "count", equals: 7}]', '[{name: "size", equals: "L"}]', "[]", '[{name: "price", equals: 1.1}]',
        '[{name: "count", equals: 7}, {name: "count", equals: 8}]', '[{name: "n", equals: {a: [1.10, null]}}]',
    ],
    "includeMerged": ["true", "false", "null"],
    "email": ['"olena@example.com"'],
    "parked": ["true", "false"],
    "ringing": ["true", "false"],
    "phase": ['"ringing"'],
    "number": ["7", "8"],
    "phone": [f'"{OLENA_PHONE}"', '"+380501112233"'],
    "source": ['"form"', '""'],
    "reference": ['"R-1"', '""'],
    "status": ['"settled"'],
    "direction": ['"in"'],
    "disposition": ['""'],
    "unanswered": ["true", "false"],
    "DealWhere": [
        '{stage: {in: ["new", "won", "new"]}}', '{stage: {in: []}}', '{stage: {eq: null}}', "{}",
        '{openedAt: {gte: "2026-01-01T14:00:00+02:00", lt: "2027-01-01T00:00:00Z"}}', '{number: {between: [8, 20]}}',
        '{amount: {gte: "0.01"}}', '{amount: {eq: "202.00 UAH"}}', '{amount: {lt: "99 JPY"}}',
        '{amount: {gt: "-99.0 KWD"}, stage: {in: ["new", "talks"]}}', '{amount: {gte: "x"}}',
        f'{{contactId: {{in: [{IDS[0]}, "none"]}}, stage: {{eq: "new"}}, amount: {{lte: "500"}}}}',
        '{fields: [{key: "count", in: [7, "7"]}]}',
        '{fields: [{key: "size", equals: "L"}], owner: {eq: "taras@shop.ua"}}',
        '{reference: {eq: "R"}}', '{reference: {eq: ""}}',
    ],
    "ContactWhere": [
        '{name: {startsWith: "ol"}}', '{name: {startsWith: ""}}', f'{{mergedInto: {{eq: {IDS[0]}}}}}',
        '{mergedInto: {isNull: false}, phones: {contains: "+380501112233"}}',
        f'{{phones: {{contains: "{OLENA_PHONE}"}}, touchedAt: {{lte: "2026-01-01T12:00:00.000003Z"}}}}',
    ],
    "PaymentWhere": [
        '{status: {in: ["settled", "failed"]}}', f'{{dealId: {{in: [{IDS[2]}]}}}}', '{parked: {eq: true}}',
        f'{{contactId: {{eq: {IDS[0]}}}, dealId: {{isNull: true}}}}', '{amount: {gt: "1"}}',
    ],
    "CallWhere": [
        '{direction: {eq: "in"}, disposition: {in: ["", "busy"]}}', '{phase: {in: ["ringing", "completed"]}}'
    ],
    "ConversationWhere": ["{unanswered: {eq: false}}"],
    "TaskWhere": ['{dueAt: {isNull: false}}', '{owner: {eq: ""}, done: {eq: false}}'],
    "TimelineEntryWhere": [f'{{dealId: {{eq: {IDS[2]}}}, at: {{gt: "2026-01-01T12:00:00Z"}}}}'],
    "MessageWhere": [f'{{conversationId: {{in: [{IDS[6]}]}}, sentAt: {{lt: "2030-01-01T00:00:00Z"}}}}'],
}  # fmt: skip
