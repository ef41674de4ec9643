"""Errors of `probes`, as one tree.

    ProbeError              anything a user of probes can cause and mend
    ├── DataError           a data file is missing, malformed or fails its checksum
    ├── TemplateError       a template or one of its slots is wrong
    ├── OptionError         an option of a probe has a value that is not accepted
    └── PluginError         a plug-in is unknown, duplicated or fails to load

A message says what was wrong, the value received, what is accepted and where.
"""

__all__ = ["DataError", "OptionError", "PluginError", "ProbeError", "TemplateError"]


class ProbeError(Exception):
    """Anything a user of `probes` can cause and mend."""


class DataError(ProbeError):
    """A data file is missing, malformed or fails its checksum."""


class TemplateError(ProbeError):
    """A template or one of its slots is wrong."""


class OptionError(ProbeError):
    """An option of a probe has a value that is not accepted."""


class PluginError(ProbeError):
    """A plug-in is unknown, duplicated or fails to load; the message names its distribution."""
