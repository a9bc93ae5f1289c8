"""C# with the NuGet packages Microsoft.ML.OnnxRuntime and Microsoft.ML.OnnxRuntime.QNN."""

import json

from .sample import Language

LANGUAGE = Language(
    quote=json.dumps,
    templates={"Sample.cs.j2": "Sample.cs", "Sample.csproj.j2": "Sample.csproj", "README.csharp.md.j2": "README.md"},
)
