"""What fields, arguments and values mean where no declaration says it: by name, or by type and name."""

from graphql import GraphQLSchema

FIELDS = {
    "account": "Our account that it came to.",
    "accounts": "Accounts in chats, such as telegram:12345.",
    "actor": "Who did it: a connector, a rule or a person.",
    "amount": "What it is worth.",
    "at": "When it happened.",
    "attachments": "Files that came with it.",
    "attempts": "How often it was taken up again.",
    "author": "Who wrote it.",
    "call": "The provider's id of the call.",
    "callId": "The call that it tells of.",
    "candidates": "Ids of the deals that it could be for, while it is parked; `why` tells of each.",
    "causeOffset": "Where its raw bytes lie in Kafka: the offset.",
    "causePartition": "Where its raw bytes lie in Kafka: the partition.",
    "causeTopic": "Where its raw bytes lie in Kafka: the topic.",
    "changedAt": "The provider's clock for this status: only a newer one counts.",
    "channel": "Such as telegram.",
    "chat": "The channel's id of the chat.",
    "connection": "The connection that it came through.",
    "connector": "Which connector, such as monobank.",
    "contact": "Who it is; null when nobody has this number.",
    "contactId": "Whose it is.",
    "contentType": "Of the raw bytes, as sent.",
    "conversationId": "The conversation that it is of.",
    "country": "ISO 3166 alpha-2: how numbers without a country code are read.",
    "createdAt": "When it was made. No later change moves it.",
    "currency": "ISO 4217.",
    "cursor": "Give it as `after` or `before` to go on from here.",
    "dealId": "The deal that it is of.",
    "direction": "in or out; empty when it was not told.",
    "disposition": "answered, no_answer, busy, cancelled, failed, voicemail, or the provider's own word; empty before.",
    "done": "It is done.",
    "doneAt": "When it was done.",
    "doubted": "Identifiers that identify nobody alone, each with the other cards that it was seen with; an empty id: "
    "somebody said that it is nobody's.",
    "doubts": "What was given and could not be read with certainty, a sentence each; a form's values are in `fields`.",
    "dueAt": "When it is to be done.",
    "edges": "Rows, each with its cursor.",
    "editedAt": "When its text last changed; null when it is the first.",
    "emails": "E-mail addresses, in small letters.",
    "employee": "Who took it: an e-mail or an internal number.",
    "enabled": "Its address takes what the vendor sends.",
    "endCursor": "Of the last row; give it as `after`.",
    "entity": "What has the field.",
    "equals": "The value, of the same type.",
    "excerpt": "The first 500 characters as text.",
    "expiresAt": "When it stops to hold; null: never.",
    "extension": "What to dial after it is answered.",
    "fields": "Custom fields by name; each value with the type that it came with.",
    "files": "Files that came with the form.",
    "form": "Which form it came through: its id or name.",
    "hasNextPage": "There are rows after these.",
    "hasPreviousPage": "There are rows before these.",
    "held": "Money that is reserved and not yet ours.",
    "hits": "The best first.",
    "id": "Unique id.",
    "key": "Its name in `fields`. It never changes.",
    "kind": "What happened, in one word.",
    "known": "The number was known before the call.",
    "label": "What people call it.",
    "labels": "What people call the stages, where it is not the key.",
    "lastMessageId": "The latest message.",
    "lastText": "The text of the latest message.",
    "line": "Our number that was called, or called from.",
    "matchedBy": "The rule that found its deal, or who did by hand; empty while it is parked.",
    "mediaType": "Such as image/jpeg; empty when it was not told.",
    "mergedInto": "The card that stays, when this one was merged.",
    "message": "The channel's id of the message.",
    "messageCount": "How many messages it has.",
    "name": "Display name.",
    "node": "The row.",
    "nodes": "The rows without their cursors.",
    "number": "Short, of this workspace: the 7 of D-7. Who writes it into a payment's purpose pays this deal.",
    "openDeals": "Its open deals, the latest touched first.",
    "openedAt": "When it was opened. No later change moves it.",
    "options": "What there is to choose from.",
    "owner": "The salesperson who has it; empty: nobody.",
    "ownerReason": "Why that one: the rule, in words.",
    "page": "The page that the form was sent from.",
    "pageInfo": "Where this page stands.",
    "paid": "Money that came.",
    "paidStage": "Where a deal goes when it is paid in full.",
    "parked": "It fits no deal yet.",
    "partPaidStage": "Where a deal goes when a part is paid.",
    "partition": "Of the journal: one stream is always in one.",
    "payerIban": "Who paid: the account.",
    "payerName": "Who paid: the name.",
    "payment": "The provider's id of the payment.",
    "paymentId": "The payment that it tells of.",
    "phase": "ringing, answered, transferred, hung_up or completed.",
    "phone": "E.164; empty when it cannot be read as a number.",
    "phoneText": "The number as it was given.",
    "phones": "E.164.",
    "conflicts": "Where a merged card says otherwise: `name` or `fields.<key>`, and all values.",
    "written": "Custom fields that were converted to their type: each as its form had it.",
    "repeats": "How often the same enquiry came again while the deal was open.",
    "phoneTexts": "As they were first given, in the order of `phones`.",
    "provider": "Such as monobank or liqpay.",
    "purpose": "What the payer wrote.",
    "quarantinedAt": "When it was put aside.",
    "reason": "What is wrong with it, for a person.",
    "receivedAt": "When it came.",
    "recording": "Where its record is.",
    "ref": "How to get it: a file id or a URL.",
    "reference": "An order or invoice number outside.",
    "refunded": "What was given back.",
    "replyTo": "The message that it answers.",
    "required": "Who makes one by hand must give it.",
    "retired": "Commands give it no values any more.",
    "revokedAt": "When it was revoked; null while it holds.",
    "rotatedAt": "When its secret last changed.",
    "scopes": "What it may do.",
    "senderName": "As they call themselves.",
    "sentAt": "When it was sent.",
    "settings": "What else the connector knows: names alone, values may be secret.",
    "sha256": "Of the raw bytes, in hexadecimal.",
    "shares": "How it is split: what each deal has of it.",
    "size": "Bytes.",
    "source": "How it came: form, call, chat, payment or a person.",
    "stage": "Where it stands in the pipeline, or won or lost.",
    "stageReason": "Why it stands there, when it was moved.",
    "stages": "Their keys, in order.",
    "startCursor": "Of the first row; give it as `before`.",
    "startedAt": "When it began to ring.",
    "status": "How far it is.",
    "suspicious": "Why it is worth a look, such as a robot's form or money beyond the sum; empty when it is not.",
    "talkS": "Seconds of talk.",
    "text": "The text.",
    "timezone": "Of the workspace, such as Europe/Kyiv.",
    "title": "Display title.",
    "touchedAt": "When it last changed. Each change moves it, and the row in lists ordered by it.",
    "touchedBy": "Who last tried or settled it.",
    "type": "What its values are.",
    "utm": "utm_* without the prefix, gclid and fbclid.",
    "version": "Version; send it as `expectedVersion` to detect concurrent changes.",
    "waitS": "Seconds until it was answered.",
    "why": "How its deal was found, or what is missing, in words.",
    "writtenAt": "When it was written.",
}
OWN = {
    "Contact.createdAt": "When the card was made. No later change moves it.",
    "PaymentShare.amount": "Its part of the payment.",
    "PaymentShare.dealId": "The deal that has it.",
    "Attachment.kind": "photo, voice, document, …",
    "Message.status": "received, sent, queued (it waits to be delivered), or deleted in its channel: its text is kept.",
    "Payment.amount": "What was paid.",
    "Payment.status": "created, held, settled, failed, reversed or expired.",
    "Payment.reference": "An order or invoice number that was given to the provider.",
    "QuarantinedDelivery.atRisk": "lead: somebody may wait for an answer; payment: money may be missing; else empty.",
    "QuarantinedDelivery.emails": "Addresses that stand in its bytes; whose they are is not known.",
    "QuarantinedDelivery.phones": "E.164 numbers that stand in its bytes; whose they are is not known.",
    "QuarantinedDelivery.status": "waiting, released (it was understood) or discarded.",
    "TimelineEntry.amount": "The money that it tells of.",
    "FieldEquals.name": "Its key in `fields`.",
    "Message.text": "Its text or caption, as it is now.",
    "Task.title": "What is to be done.",
    "Task.owner": "Whose task it is; empty: nobody's.",
    "Caller.owner": "Who has the latest of the open deals, and should pick up.",
}
ARGUMENTS = {"id": "Id of the object to fetch.", "input": "What `{0}` needs."}
VALUES = {
    "OCCURRED": "What was true then, also what came to be known later.",
    "RECORDED": "What was known here then.",
    "CURRENCY_MISMATCH": "The deal has money of another currency.",
    "INVALID": "The value does not fit what it is for.",
    "IN_USE": "Something stands in it, so it stays.",
    "MERGED": "The card was merged into another: use that one.",
    "NOT_FOUND": "There is none of this id in the workspace.",
    "REQUIRED": "It must be given.",
    "TAKEN": "Another has it already.",
    "UNCHANGED": "It is so already.",
    "VERSION_CONFLICT": "It has changed since you read it: read it again, then decide.",
    "admin": "Everything, tokens too.",
    "connect": "Connections of vendors.",
    "read": "Queries and subscriptions.",
    "write": "Mutations, and facts to the intake.",
    "contact": "A card.",
    "deal": "A deal.",
    "CONTACT": "By name, phone, e-mail or account.",
    "CONVERSATION": "By title.",
    "DEAL": "By title or reference.",
    "MESSAGE": "By text.",
    "NOTE": "By text.",
    "TASK": "By title.",
    "boolean": "true or false.",
    "choice": "One of the options.",
    "choices": "Some of the options.",
    "date": "A day, such as 2026-11-25.",
    "number": "A number, kept exactly.",
    "text": "Any text.",
    "time": "A moment with its zone.",
}


def describe(schema: GraphQLSchema) -> None:
    """Fills in what is missing; what a declaration says stays."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        for name, field in getattr(kind, "fields", {}).items():
            field.description = field.description or OWN.get(f"{kind.name}.{name}") or FIELDS.get(name)
            for given, argument in getattr(field, "args", {}).items():
                argument.description = argument.description or ARGUMENTS.get(given, "").format(name) or None
        for name, value in getattr(kind, "values", {}).items():
            value.description = value.description or VALUES.get(name) or order(name)


def order(name: str) -> str | None:
    """TOUCHED_AT_DESC as words."""
    what, _, way = name.rpartition("_")
    return {"ASC": f"By `{camel(what)}`, upwards.", "DESC": f"By `{camel(what)}`, downwards."}.get(way)


def camel(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(map(str.capitalize, others))


def undescribed(schema: GraphQLSchema) -> list[str]:
    """Types, fields, arguments and values that nothing is said of."""
    found = []
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        items = {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}
        found += [kind.name] * (not kind.description)
        found += [f"{kind.name}.{name}" for name, item in items.items() if not item.description]
        found += [
            f"{kind.name}.{name}({given}:)"
            for name, item in items.items()
            for given, argument in getattr(item, "args", {}).items()
            if not argument.description
        ]
    return found
