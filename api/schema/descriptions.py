"""Descriptions of fields, arguments and enum values that have none where they are declared."""

from graphql import GraphQLSchema

from api.schema.value_descriptions import VALUES

# Fields that mean the same in every type.
COMMON = {
    "contactId": "Id of the contact.",
    "createdAt": "When it was created. It never changes.",
    "currency": "ISO 4217 code of the currency.",
    "cursor": "Cursor of this row; send it as `after` or `before` to page on from here.",
    "dealId": "Id of the deal.",
    "edges": "Rows, each with its cursor.",
    "id": "Unique id.",
    "name": "Display name.",
    "node": "The row.",
    "nodes": "Rows without their cursors.",
    "pageInfo": "Position of this page within the list.",
    "title": "Display title.",
    "touchedAt": "When it last changed. Changes move the row in lists that are ordered by it.",
    "version": "Version; send it as `expectedVersion` to detect concurrent changes.",
}
FIELDS = {
    "AccessToken": {
        "expiresAt": "When the token stops working; null: never.",
        "name": "Who or what uses the token.",
        "revokedAt": "When the token was revoked; null while it is valid.",
        "scopes": "What the token permits.",
    },
    "Call": {
        "call": "The provider's id of the call.",
        "direction": "`in` or `out`; empty when the provider did not say.",
        "disposition": "Outcome: answered, no_answer, busy, cancelled, failed, voicemail or the provider's own word; "
        "empty while the call lasts.",
        "employee": "Who took the call: an e-mail address or an internal number.",
        "extension": "Extension that was dialed after the call was answered.",
        "known": "The number belonged to a contact before the call.",
        "legs": "Each leg as JSON, in order of their begin: leg, started_at (microseconds), and what is known of "
        "employee, direction, line, wait_s, talk_s, ended_at, disposition and recording.",
        "line": "Our number that was called, or that we called from.",
        "phase": "ringing, answered, transferred, hung_up or completed.",
        "phone": "Number of the other party in E.164; empty when it cannot be read as a phone number.",
        "phoneText": "Number of the other party, as the provider sent it.",
        "recording": "URL of the recording; empty when there is none.",
        "startedAt": "When the call started to ring.",
        "talkS": "Seconds of conversation.",
        "waitS": "Seconds until the call was answered.",
    },
    "Contact": {
        "accounts": "Accounts in chats, written as channel:account, and keys in other systems, written as system:key.",
        "conflicts": "Values that differ between merged contacts, by `name` or `fields.<key>`.",
        "doubted": "Identifiers shared with other contacts, each with the ids of these contacts. They do not identify "
        "anybody; an empty id means that a person said so.",
        "emails": "E-mail addresses, in lower case.",
        "fields": "Custom fields by key, each value with its own type.",
        "mergedInto": "Id of the contact that this one was merged into; null when it was not merged.",
        "phones": "Phone numbers in E.164.",
        "phoneTexts": "Phone numbers as they were first given, in the order of `phones`.",
        "source": "Where the contact came from: form, call, chat, mail, payment or hand (a person added it).",
    },
    "Conversation": {
        "answerS": "Seconds between the first question and the first answer; null while there is none.",
        "answeredAt": "When the first question was answered; null while it was not.",
        "answeredBy": "Who wrote the first answer: its author, or the sender that the channel names.",
        "questionAt": "When the contact wrote first; null while only we have written.",
        "channel": "Channel of the conversation: the chat service, in lower case, or mail.",
        "chat": "The channel's id of the chat.",
        "deliveredUpTo": "All of our messages that were sent until then were delivered; null while the channel did not "
        "say.",
        "readUpTo": "All of our messages that were sent until then were read; null while the channel did not say.",
        "lastMessageId": "Id of the latest message.",
        "lastText": "Text of the latest message.",
        "messageCount": "Number of messages.",
        "openedAt": "When the conversation started.",
        "unanswered": "The last message is the contact's.",
    },
    "CustomField": {
        "entity": "The type of object that has the field.",
        "key": "Key of the field in `fields`. It never changes.",
        "label": "Display name.",
        "options": "Allowed values of a choice.",
        "required": "Commands that create an object must give it a value.",
        "retired": "Commands no longer accept values for it.",
        "type": "Type of its values.",
    },
    "Deal": {
        "amount": "Value of the deal.",
        "closedAt": "When the deal was won or lost last; null while it is open.",
        "doubts": "Values of its form or of its system's reports that could not be read or taken, one sentence each.",
        "fields": "Custom fields by key, each value with its own type.",
        "files": "Files that came with the form.",
        "form": "Id or name of the form that the deal came from.",
        "held": "Money that is reserved but not received yet.",
        "number": "Number within the workspace, such as 7 for D-7. A payment whose purpose contains it is matched to "
        "this deal.",
        "openedAt": "When the deal was opened. Only an older report of another system can change it.",
        "externalIds": "Its keys in other systems, written as system:key.",
        "owner": "The salesperson it is assigned to; empty: nobody.",
        "ownerReason": "Why the deal was assigned to its owner, in words.",
        "page": "URL of the page with the form.",
        "paid": "Money that was received.",
        "reference": "An order or invoice number of another system.",
        "repeats": "How often the same enquiry was sent again while the deal was open.",
        "source": "form, call, chat, mail, payment, hand (a person opened it), or the system that reported the deal.",
        "stage": "Key of the pipeline stage, or won or lost.",
        "stageReason": "Why the deal was moved to its stage; empty when it was not moved.",
        "suspicious": "Why the deal needs a look, such as spam or too much money; empty when it does not.",
        "utm": "utm_* parameters without the prefix, gclid and fbclid.",
        "written": "Custom fields that were converted to their type, as the form had them.",
    },
    "Event": {"actor": "Who caused it: a connector, a rule or a person."},
    "Integration": {
        "connector": "The connector that reads the vendor's deliveries; docs/integrations.md lists them.",
        "enabled": "Deliveries to its URL are accepted.",
        "rotatedAt": "When its secret last changed.",
        "settings": "Names of its settings. Values are never shown, as they may be secret.",
    },
    "Message": {
        "attachments": "Files that came with the message.",
        "conversationId": "Id of the conversation.",
        "direction": "`in` from the contact, `out` to the contact.",
        "editedAt": "When its text was last edited; null when it was not.",
        "message": "The channel's id of the message.",
        "replyTo": "Id of the message that it replies to.",
        "senderName": "Name of the sender, as in the channel.",
        "sentAt": "When it was sent.",
        "failure": "Why it could not be delivered, as the channel says; empty when it did not fail.",
        "status": "received; of ours: queued (not sent yet), sent, failed, delivered, read; deleted: in the channel, "
        "its text is kept.",
        "text": "Current text or caption; of a mail, what it says without what it quotes.",
        "subject": "Subject of a mail; empty for a chat message, as are the next ones.",
        "html": "A mail as HTML that is safe to show, with what it quotes. A picture of the mail's own has the `ref` "
        "of its attachment as `src`.",
        "sentTo": "To whom a mail went: addresses, with names where there are any.",
        "cc": "Who got a copy of a mail.",
    },
    "Note": {"author": "Who wrote the note.", "text": "Text of the note.", "writtenAt": "When the note was written."},
    "Object": {
        "mergedKeys": "Objects that were merged into this one, each as type:key.",
        "doubts": "What was reported of it and not taken as it was, one sentence each.",
        "fields": "Its fields by key, each value with its own type.",
        "key": "The sender's own key, unique within the type.",
        "relatedTo": "What it points to, such as seller:42, contact:<id>, phone:+380671234567 or deal:D-7.",
        "status": "Its status; empty when none was reported.",
        "type": "Key of its type, such as seller.",
    },
    "ObjectType": {
        "fields": "Its fields by key: label, type, options, required, target, indexed, slot (the column of its index) "
        "and place among the others.",
        "key": "Its name in facts and queries. It never changes.",
        "label": "Display name of one.",
        "plural": "Display name of several.",
        "retired": "Reports of such objects are quarantined.",
        "statuses": "The statuses that an object may have; empty: any.",
    },
    "Payment": {
        "account": "Our account that received the payment.",
        "amount": "Amount that was paid.",
        "candidates": "Ids of the deals that it could be for, while it is parked; `why` explains each.",
        "changedAt": "When the provider changed the status. Older reports are ignored.",
        "doubts": "What could not be read with certainty, one sentence each.",
        "fee": "What the provider keeps of it; not taken off the amount. 0 when it does not tell.",
        "matchedBy": "What matched the payment to its deal: a rule, or hand (a person); empty while it is parked.",
        "parked": "The payment is not matched to a deal yet.",
        "payerIban": "IBAN of the payer.",
        "payerName": "Name of the payer.",
        "payment": "The provider's id of the payment.",
        "provider": "Bank or payment provider: the name of its connector.",
        "purpose": "Purpose, as the payer wrote it.",
        "reference": "An order or invoice number that was given to the provider.",
        "refunded": "Amount that was refunded.",
        "shares": "Parts of a split payment, one for each deal.",
        "source": "Source of its deal, of the first one if it was split; empty while it is parked.",
        "status": "created, held, settled, failed, reversed or expired.",
        "suspicious": "Why the payment needs a look, such as more money than the deal costs; empty when it does not.",
        "why": "How its deal was found, or what is missing, in words.",
    },
    "Owner": {
        "active": "Commands and rules may give this owner something new; false: retired.",
        "email": "E-mail address, in lower case; empty when it is unknown.",
        "extension": "Internal number in the telephone system; empty when it is unknown.",
        "key": "What deals, tasks and assignment rules name as `owner`. It never changes.",
        "phone": "Phone number in E.164; empty when it is unknown.",
    },
    "AssignmentRules": {
        "rules": "The rules, in order.",
        "setAt": "When they were set.",
        "setBy": "Who set them.",
        "version": "Grows by one with each change; send it as `expectedVersion` to detect concurrent changes.",
    },
    "Pipeline": {
        "country": "ISO 3166-1 alpha-2 code; phone numbers without a country code are read as numbers of this country.",
        "currency": "ISO 4217 code of the default currency.",
        "labels": "Display names of stages, where they differ from the key.",
        "paidStage": "Stage to which a deal moves when it is paid in full.",
        "partPaidStage": "Stage to which a deal moves when a part is paid.",
        "stages": "Keys of the stages, in order.",
        "timezone": "Time zone of the workspace, such as Europe/Kyiv.",
    },
    "QuarantinedDelivery": {
        "atRisk": "lead: somebody may be waiting for an answer; payment: money may be missing; else empty.",
        "attempts": "How often parsing was tried again.",
        "causeOffset": "Kafka offset of the raw delivery.",
        "causePartition": "Kafka partition of the raw delivery.",
        "causeTopic": "Kafka topic of the raw delivery.",
        "connection": "Id of the connection that received it.",
        "connector": "The connector that could not parse it.",
        "contentType": "Content type of the raw body, as sent.",
        "emails": "E-mail addresses found in the raw body; they are not matched to contacts.",
        "excerpt": "The first 500 characters of the raw body, as text.",
        "phones": "E.164 numbers found in the raw body; they are not matched to contacts.",
        "quarantinedAt": "When it was quarantined.",
        "reason": "Why it could not be parsed, in words.",
        "receivedAt": "When it was received.",
        "sha256": "SHA-256 of the raw body, in hexadecimal.",
        "size": "Size of the raw body in bytes.",
        "status": "waiting, released (parsed in the meantime) or discarded.",
        "touchedBy": "Who last tried, released or discarded it.",
    },
    "Task": {
        "done": "The task is done.",
        "doneAt": "When the task was done.",
        "dueAt": "When the task is due.",
        "owner": "The salesperson who has to do it; empty: nobody.",
        "title": "What is to be done.",
    },
    "TimelineEntry": {
        "actor": "Who caused it: a connector, a rule or a person.",
        "amount": "Amount of the payment or deal.",
        "at": "When it happened.",
        "callId": "Id of the call.",
        "conversationId": "Id of the conversation.",
        "kind": "Type of the entry, in one word.",
        "paymentId": "Id of the payment.",
        "text": "Details, as text.",
    },
}
ARGUMENTS = {"id": "Id of the object to fetch.", "input": "Input of `{0}`."}


def describe(schema: GraphQLSchema) -> None:
    """Adds missing descriptions. Descriptions that are declared elsewhere stay."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        for name, field in getattr(kind, "fields", {}).items():
            field.description = field.description or FIELDS.get(kind.name, {}).get(name) or COMMON.get(name)
            for given, argument in getattr(field, "args", {}).items():
                argument.description = argument.description or ARGUMENTS.get(given, "").format(name) or None
        for name, value in getattr(kind, "values", {}).items():
            value.description = value.description or VALUES.get(kind.name, {}).get(name)
