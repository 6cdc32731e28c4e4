"""qPCR files written on purpose."""

import io
import zipfile

import openpyxl

RDML = '<rdml xmlns="http://www.rdml.org" version="{version}">{body}</rdml>'
PLATE = (
    "<pcrFormat><rows>{0}</rows><columns>{1}</columns>"
    "<rowLabel>{2}</rowLabel><columnLabel>{3}</columnLabel></pcrFormat>"
)


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def rdml(body, *, version="1.3", member="rdml_data.xml", **more):
    return archive({**more, member: RDML.format(version=version, body=body)})


def plate(rows=8, columns=12, row_label="ABC", column_label="123"):
    return PLATE.format(rows, columns, row_label, column_label)


def sample(name, kind="unkn", quantity=None):
    amount = "" if quantity is None else f"<quantity><value>{quantity}</value></quantity>"
    return f'<sample id="{name}"><type>{kind}</type>{amount}</sample>'


def data(target, cq=None, points=(), *, more=""):
    """One data element; ``points`` of cycle and fluorescence."""
    curve = "".join(f"<adp><cyc>{c}</cyc><fluor>{f}</fluor></adp>" for c, f in points)
    found = "" if cq is None else f"<cq>{cq}</cq>"
    return f'<data><tar id="{target}"/>{found}{more}{curve}</data>'


def react(place, name, *held):
    return f'<react id="{place}"><sample id="{name}"/>{"".join(held)}</react>'


def run(name, *reacts, form=None):
    return f'<run id="{name}">{plate() if form is None else form}{"".join(reacts)}</run>'


def experiment(*runs):
    return f'<experiment id="e">{"".join(runs)}</experiment>'


CFX_HEADER = ",Well,Fluor,Target,Content,Sample,Cq,Starting Quantity (SQ)"


def cfx(*rows, before=""):
    return "\r\n".join([*([before] if before else []), CFX_HEADER, *rows]) + "\r\n"


def quantstudio(results, *, cycles="", setup="", keys="* Experiment Name = run 7\n"):
    ct = "C\u0442"
    head = f"Well\tWell Position\tOmit\tSample Name\tTarget Name\tTask\tQuantity\t{ct}\t{ct} Mean"
    parts = [keys, "[Sample Setup]", "Well\tWell Position", setup, "[Amplification Data]"]
    parts += ["Well\tCycle\tTarget Name\tRn\tDelta Rn", cycles, "[Results]", head, results]
    return "\n".join(parts)


def workbook(sheets):
    """An xlsx of sheets of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def lc480(*rows):
    head = "Experiment: Plate 3  Selected Filter: FAM (465-510)"
    columns = "Include\tColor\tPos\tName\tCp\tConcentration\tStandard\tStatus"
    return "\r\n".join([head, columns, *rows, ""])
