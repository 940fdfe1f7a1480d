"""The list of plugins and their parameters in the docs, made from what the plugins say of themselves."""

from pathlib import Path

from workflows_app.domain.parameter_kinds import ParameterForm, ParameterKind
from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.plugins.registry import PluginRegistry

FOLDER = Path(__file__).parents[2] / "docs" / "plugins"
DOCUMENT = FOLDER / "README.md"

_HEAD = """# The plugins

<!-- Made from the code: WRITE_DOCS=1 make test ARGS=tests/plugins/test_documentation.py writes it anew. -->

What this version brings along. A worker may have more: of installed packages, and executables in a plugin
folder ([writing a plugin](writing-a-plugin.md)). *Workers* in the dashboard lists what your workers have.
"""
_FAMILIES = {"app": "Applications", "storage": "Storage", "archive": "Archives"}
# Those whose page has another name than they have.
_PAGES = {("archive", "aws"): "s3", ("archive", "filesystem"): "filesystem-archive"}
_KINDS = {
    ParameterKind.TEXT: "",
    ParameterKind.FLAG: "`true` or `false`",
    ParameterKind.SIZE: "a size: `512K`, `12M`, `1G`",
    ParameterKind.PATH: "an absolute path",
    ParameterKind.PATHS: "absolute paths, separated by commas",
    ParameterKind.ADDRESS: "the address of a web server",
}


def built_in() -> tuple[PluginInfo, ...]:
    """What every plugin of this version says of itself."""
    return PluginRegistry(installed=lambda group: ()).infos()


def page_of(info: PluginInfo) -> str:
    """The name of a plugin's own page; empty where it has none."""
    name = _PAGES.get((info.type, info.name), info.name)
    return f"{name}.md" if (FOLDER / f"{name}.md").exists() else ""


def document() -> str:
    """The whole page."""
    infos = built_in()
    parts = [_HEAD]
    for family, title in _FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [_plugin(info) for info in infos if info.type == family]
    return "\n".join(parts)


def _plugin(info: PluginInfo) -> str:
    page = page_of(info)
    title = f"[`{info.name}`]({page})" if page else f"`{info.name}`"
    can = ", ".join(f"`{capability.name}`" for capability in info.capabilities)
    lines = [f"### {title}\n", f"{info.description}.\n" if info.description else "", f"Can: {can}.\n"]
    if info.parameters:
        lines += ["| parameter | default | form | |", "|---|---|---|---|", *map(_row, info.parameters)]
    return "\n".join(line for line in lines if line) + "\n"


def _row(spec: ParameterSpec) -> str:
    default = f"`{spec.default}`" if spec.default else _needed(spec)
    help_words = _cell(spec.help) + (" *Secret.*" if spec.secret else "")
    return f"| `{spec.name}` | {default} | {_form(spec.form)} | {help_words} |"


def _needed(spec: ParameterSpec) -> str:
    if not spec.required:
        return ""
    return f"**needed**, unless `{spec.unless}`" if spec.unless else "**needed**"


def _form(form: ParameterForm) -> str:
    if form.kind is ParameterKind.CHOICE:
        return ", ".join(f"`{option}`" for option in form.choices)
    if form.kind is ParameterKind.NUMBER:
        return f"{form.least} to {form.most}" if form.most else f"{form.least} or more"
    if form.kind is ParameterKind.SPELLED:
        return f"{form.least} to {form.most} of {form.ranges}" if form.most else f"of {form.ranges}"
    return _KINDS[form.kind]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
