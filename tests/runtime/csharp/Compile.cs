// A C# compiler on the command line, with csc's arguments: Roslyn's libraries come without their program.
using System;
using System.IO;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

static class Compile
{
    static int Main(string[] arguments)
    {
        string here = Directory.GetCurrentDirectory();
        CSharpCommandLineArguments parsed = CSharpCommandLineParser.Default.Parse(arguments, here, null, null);
        var trees = parsed.SourceFiles.Select(
            file => CSharpSyntaxTree.ParseText(File.ReadAllText(file.Path), parsed.ParseOptions, file.Path));
        var references = parsed.MetadataReferences.Select(
            item => (MetadataReference)MetadataReference.CreateFromFile(item.Reference));
        string name = Path.GetFileNameWithoutExtension(parsed.OutputFileName);
        var compilation = CSharpCompilation.Create(name, trees, references, parsed.CompilationOptions);
        using (FileStream output = File.Create(Path.Combine(parsed.OutputDirectory, parsed.OutputFileName)))
        {
            var result = compilation.Emit(output);
            foreach (Diagnostic item in result.Diagnostics.Where(item => item.Severity >= DiagnosticSeverity.Warning))
            {
                Console.Error.WriteLine(item);
            }
            return result.Success ? 0 : 1;
        }
    }
}
