"""A third study as declarations and files: three arms, weeks 0, 2 and 8, two laboratories.

Nothing of it is known to the library: its columns, separators, decimal commas, units, genes, visits
and arms are in the texts below. What was planted is computed beside the files.
"""

import math

import numpy as np

from assayhouse.contracts import declarations

DAYS = {"V0": "2026-03-02", "V2": "2026-03-16", "V8": "2026-04-27"}
WEEKS = {"V0": 0, "V2": 2, "V8": 8}
SHIFT = {"C": 0.0, "L": -5.0, "H": -10.0}
GENES = ("GA", "GB", "GC")
SUBJECTS = 60

STUDY = """
study: TINY
title: A trial of three arms
synthetic: true
blinding: none
layouts: [clinic.people, clinic.signs, clinic.joints, hospital.blood, genelab.peaks]
arms:
  - {ARMCD: C, ARM: Control, reference: true}
  - {ARMCD: L, ARM: Low dose, dose_mg: 1}
  - {ARMCD: H, ARM: High dose, dose_mg: 5}
visits:
  - {AVISITN: 0, AVISIT: Start, target_day: 1, first_day: -7, last_day: 1, baseline: true,
     spellings: [V0]}
  - {AVISITN: 2, AVISIT: Week 2, target_day: 15, first_day: 10, last_day: 20, spellings: [V2]}
  - {AVISITN: 8, AVISIT: Week 8, target_day: 57, first_day: 50, last_day: 64, spellings: [V8]}
visit_rule: window
parameters: [SYSBP, HGB, PLT, CRP, MODA, MODAL, JOINTS]
modules:
  expression: {version: T-1, references: [HK], signal: height}
  scores:
    - {PARAMCD: MODA, log2: MODAL, genes: [GA, GB, GC]}
cut_offs:
  - {id: A, label: Module A, parameter: MODAL, scale: log2, rule: fixed, value: 0.5,
     level_of_interest: high, source: this test}
endpoints:
  - PARAMCD: FEWER
    PARAM: Half of the joints or fewer
    visits: [2, 8]
    components: [JOINTS, LEFT]
    rederived: "JOINTS <= 0.5 * base_JOINTS"
    non_responder_if: "LEFT = 'ja'"
    missing: non_responder
analyses:
  effects: {responses: [chg, pchg], parameters: [SYSBP, HGB, PLT, CRP, MODA], subgroups: [A]}
  subsets: {endpoint: FEWER}
figures:
  - {id: all, kind: time_course, title: Both, parameters: [SYSBP, HGB]}
tables:
  - {id: shares, kind: baseline_subsets, title: Module A at the start}
  - {id: forest, kind: subset_differences, title: Fewer joints, options: {arm: H, visit: 8}}
"""
PARAMETERS = """PARAMCD,PARAM,unit,scale,assay,lloq,uloq,low_plausible,high_plausible
SYSBP,Systolic blood pressure,mmHg,linear,cuff,,,60,260
HGB,Haemoglobin,g/L,linear,analyser,,,30,250
PLT,Platelets,10^9/L,linear,analyser,,,10,1500
CRP,C-reactive protein,mg/L,linear,analyser,1,,0,500
MODA,Module A,ratio,ratio,peaks,,,0.001,100
MODAL,Module A (log2),log2 ratio,log2,peaks,,,-10,7
JOINTS,Swollen joints,score,ordinal,count,,,0,66
"""
GENE_LIST = "GENE,GENEROLE\nGA,TARGET\nGB,TARGET\nGC,TARGET\nHK,REF\n"
PEOPLE = """
layout: clinic.people
version: "1"
label: People
reader: delimited
file_pattern: '^people\\.txt$'
manifest: none
dialect: {delimiter: ";", quoting: none, line_end: lf}
key: [person]
columns:
  - {name: person, required: true, pattern: 'p\\d+'}
  - {name: group, required: true, type: code, terms: arms}
  - {name: first dose, type: date, date_format: '%d.%m.%Y', required: true}
  - {name: years, type: integer}
maps_to:
  - relation: dm
    columns:
      STUDYID: "'TINY'"
      USUBJID: person
      SUBJID: person
      AGE: years_integer
      RFSTDTC: '"first dose_date"::varchar'
  - relation: assignment
    columns: {USUBJID: person, ARMCD: group_term}
"""
SIGNS = """
layout: clinic.signs
version: "1"
label: Vital signs
reader: delimited
file_pattern: '^signs\\.txt$'
manifest: none
dialect: {delimiter: ";", quoting: none, line_end: lf, decimal: ","}
key: [person, taken, what]
columns:
  - {name: person, required: true, references: clinic.people.person}
  - {name: taken, type: date, date_format: '%d.%m.%Y', required: true}
  - {name: what, required: true}
  - {name: value, type: result, required: true}
maps_to:
  - relation: vs
    columns:
      STUDYID: "'TINY'"
      USUBJID: person
      TESTCD: what
      ORRES: value
      operator: value_operator
      number: value_number
      unit: "'mmHg'"
      DTC: 'taken_date::varchar'
"""
JOINTS = """
layout: clinic.joints
version: "1"
label: Joints
reader: delimited
file_pattern: '^joints\\.txt$'
manifest: none
dialect: {delimiter: "|", quoting: none, line_end: lf}
key: [person, visit]
columns:
  - {name: person, required: true, references: clinic.people.person}
  - {name: visit, type: code, terms: visits, required: true}
  - {name: seen, type: date, date_format: '%d.%m.%Y', required: true}
  - {name: swollen, type: integer}
  - {name: left trial, codes: [ja, nein]}
maps_to:
  - relation: rs
    where: swollen is not null
    columns: &joint
      STUDYID: "'TINY'"
      USUBJID: person
      TESTCD: "'JOINTS'"
      ORRES: swollen
      number: swollen_integer
      unit: "'score'"
      VISIT: visit_term
      DTC: 'seen_date::varchar'
  - relation: rs
    where: '"left trial" is not null'
    columns:
      STUDYID: "'TINY'"
      USUBJID: person
      TESTCD: "'LEFT'"
      ORRES: '"left trial"'
      VISIT: visit_term
      DTC: 'seen_date::varchar'
"""
BLOOD = """
layout: hospital.blood
version: "1"
label: Blood counts
reader: delimited
file_pattern: '^blood\\.csv$'
manifest: none
dialect: {delimiter: ",", quoting: minimal, line_end: crlf}
key: [id, date, test]
columns:
  - {name: id, required: true, references: clinic.people.person}
  - {name: date, type: date, required: true}
  - {name: test, required: true, type: code, terms: parameters}
  - {name: result, type: result, required: true}
  - {name: unit, type: code, terms: units, required: true}
maps_to:
  - relation: lb
    columns:
      STUDYID: "'TINY'"
      USUBJID: id
      TESTCD: test_term
      ORRES: result
      ORRESU: unit
      operator: result_operator
      number: result_number
      unit: unit_term
      DTC: date
"""
PEAKS = """
layout: genelab.peaks
version: "1"
label: Peaks
reader: delimited
file_pattern: '^peaks\\.tsv$'
manifest: none
dialect: {delimiter: "\\t", quoting: none, line_end: lf, decimal: ","}
key: [tube, symbol]
columns:
  - {name: who, required: true, references: clinic.people.person}
  - {name: tube, required: true}
  - {name: drawn, type: date, date_format: '%d.%m.%Y', required: true}
  - {name: symbol, type: code, terms: genes, required: true}
  - {name: rfu, type: number, required: true, minimum: 0}
maps_to:
  - relation: gf
    columns:
      STUDYID: "'TINY'"
      USUBJID: who
      REFID: tube
      DTC: 'drawn_date::varchar'
      SYM: symbol_term
      ORRES: rfu
      height: rfu_number
"""
LAYOUTS = {
    "clinic.people": PEOPLE,
    "clinic.signs": SIGNS,
    "clinic.joints": JOINTS,
    "hospital.blood": BLOOD,
    "genelab.peaks": PEAKS,
}


def declared(folder):
    """Write the declarations into a folder and read them back with the shipped ones below."""
    vendors, terms = folder / "schemas" / "vendors", folder / "schemas" / "terms"
    vendors.mkdir(parents=True)
    terms.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    (terms / "parameters.csv").write_text(PARAMETERS)
    (terms / "genes.csv").write_text(GENE_LIST)
    for name, text in LAYOUTS.items():
        (vendors / f"{name}.yaml").write_text(text)
    return declarations.load(folder)


def german(day):
    """Date as the clinic writes it."""
    year, month, date = day.split("-")
    return f"{date}.{month}.{year}"


def comma(value, digits):
    """Number with a decimal comma."""
    return f"{value:.{digits}f}".replace(".", ",")


class Third:
    """Files of the third study, and what is true of it by subject.

    Attributes
    ----------
    files : dict
        Path below landing to text.
    score : dict
        (subject, week) to the log2 score of the module, from the peaks as printed.
    response : dict
        (subject, week) to Y or N.
    """

    def __init__(self):
        rng = np.random.Generator(np.random.Philox(7))
        self.arm, self.score, self.response = {}, {}, {}
        self._people = ["person;group;first dose;years"]
        self._signs = ["person;taken;what;value"]
        self._joints = ["person|visit|seen|swollen|left trial"]
        self._blood, self._peaks = ["id,date,test,result,unit"], ["who\ttube\tdrawn\tsymbol\trfu"]
        for number in range(SUBJECTS):
            self._person(rng, number)
        self.files = {
            "clinic/people.txt": "\n".join(self._people) + "\n",
            "clinic/signs.txt": "\n".join(self._signs) + "\n",
            "clinic/joints.txt": "\n".join(self._joints) + "\n",
            "hospital/blood.csv": "\r\n".join(self._blood) + "\r\n",
            "genelab/peaks.tsv": "\n".join(self._peaks) + "\n",
        }

    def _person(self, rng, number):
        name, arm = f"p{number}", "CLH"[number % 3]
        self.arm[name] = arm
        self._people.append(f"{name};{arm};{german(DAYS['V0'])};{30 + number % 40}")
        pressure, iron, level = rng.normal(140, 10), rng.normal(13, 1), rng.normal(0.5, 1.0)
        joints, left = int(rng.integers(4, 20)), number % 20 == 19
        base = joints
        for visit, day in DAYS.items():
            step = list(DAYS).index(visit)
            sign = pressure + SHIFT[arm] * (step > 0) + rng.normal(0, 3)
            self._signs.append(f"{name};{german(day)};SYSBP;{comma(sign, 1)}")
            self._tests(rng, name, day, iron + 0.5 * step)
            self._genes(rng, name, visit, level)
            if step:
                joints = int(rng.binomial(base, 0.45 if arm == "H" else 0.65))
            gone = left and step > 0
            count, answer = ("", "ja") if gone else (str(joints), "nein")
            self._joints.append(f"{name}|{visit}|{german(day)}|{count}|{answer}")
            if step:
                better = not gone and 2 * joints <= base
                self.response[name, WEEKS[visit]] = "Y" if better else "N"

    def _tests(self, rng, name, day, iron):
        protein = rng.lognormal(-1.0, 0.8)
        told = f"{protein:.2f},mg/dL" if protein > 0.1 else "<0.1,mg/dL"
        self._blood += [
            f"{name},{day},HGB,{iron + rng.normal(0, 0.2):.2f},g/dL",
            f"{name},{day},PLT,{rng.normal(250, 30):.0f},10E9/L",
            f"{name},{day},CRP,{told}",
        ]

    def _genes(self, rng, name, visit, level):
        rfu = {"HK": rng.lognormal(7.0, 0.3)}
        rfu |= {gene: rfu["HK"] * 2.0 ** (level + rng.normal(0, 0.2)) for gene in GENES}
        printed = {gene: comma(value, 2) for gene, value in rfu.items()}
        drawn = german(DAYS[visit])
        self._peaks += [
            f"{name}\t{name}-{visit}\t{drawn}\t{gene}\t{text}" for gene, text in printed.items()
        ]
        seen = {gene: math.log2(float(text.replace(",", "."))) for gene, text in printed.items()}
        self.score[name, WEEKS[visit]] = sum(seen[gene] - seen["HK"] for gene in GENES) / len(GENES)
