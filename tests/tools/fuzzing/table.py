"""All targets, by name."""

from tests.tools.fuzzing import answers, backups, doors, formats, texts
from tests.tools.fuzzing.target import Target

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
