"""The questionnaire on risk, and what clients answered."""

from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.suitability.selectors import find_questionnaire, list_assessments
from reefpoint.decisions.suitability.services import record_answers
from reefpoint.decisions.suitability.types import AssessmentView, Question
from reefpoint.surfaces.api.base import Caller, Id, In, Made, answers, now, router, today

suitability = router("suitability")
Short = Annotated[str, Field(max_length=60)]


class QuestionnaireOut(Schema):
    """The questions in both languages. `version` goes back with the answers."""

    version: int
    questions: list[Question]


class AnswersIn(In):
    """The id of the chosen option by the id of the question."""

    version: Annotated[int, Field(ge=1, le=10**6)]
    answers: dict[Short, Short]


@suitability.get("/questionnaire", response=answers(QuestionnaireOut))
def read_questionnaire(request: Caller) -> QuestionnaireOut:
    """The questionnaire that is put to clients today."""
    shown = find_questionnaire(today())
    return QuestionnaireOut(version=shown.version, questions=list(shown.questionnaire.questions))


@suitability.get("/clients/{client_id}/assessments", response=answers(list[AssessmentView]))
def list_answers(request: Caller, client_id: Id) -> list[AssessmentView]:
    """What a client answered and what it came to, newest first."""
    return list_assessments(request.auth, client_id)


@suitability.post("/clients/{client_id}/assessments", response=answers(Made, 201))
def answer(request: Caller, client_id: Id, given: AnswersIn) -> Status[Made]:
    """Record a client's answers, by the client or by staff who may assess."""
    made = record_answers(
        actor=request.auth, client_id=client_id, answers=given.answers, version=given.version, at=now()
    )
    return Status(201, Made(id=made))
