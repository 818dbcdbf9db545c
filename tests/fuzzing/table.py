"""All targets, by name."""

from tests.fuzzing import answers, backups, doors, formats, texts
from tests.fuzzing.target import Target

TARGETS: dict[str, Target] = {
    one.name: one
    for one in (
        *doors.TARGETS,
        *answers.TARGETS,
        *formats.TARGETS,
        *backups.TARGETS,
        *texts.TARGETS,
    )
}
