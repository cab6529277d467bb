"""Mailboxes of a task, which several people of a firm read: they identify nobody alone."""

import re

TASKS = """
    info sale sales office admin administrator contact contacts kontakt support help hello hi mail email post pr hr job
    jobs kadry shop store market magazin sklad zakaz order orders manager menedzher buh bux buhgalter buhgalteria
    buhgalteriya bookkeeping accounting accountant accounts billing invoice invoices finance fin kasa kassa reception
    recepcia receptia priemnaya pryimalnia service servis remont team marketing reklama company firma zvit noreply
    no-reply webmaster tender tenders zakupivli zakupki snab opt logist logistics logistyka dostavka delivery director
    dyrektor direktor dir secretary sekretar legal lawyer urist yurist yurydychnyi it klinika clinic hotel salon school
    shkola sadok osbb feedback client clients booking bron rezerv
"""
OF_A_ROLE = re.compile(rf"({'|'.join(TASKS.split())})([._-]?[0-9]{{1,3}})?@.*")


def of_a_role(email: str) -> bool:
    """`email` is normalised."""
    return OF_A_ROLE.fullmatch(email) is not None
