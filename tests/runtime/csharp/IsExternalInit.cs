// What records need of the runtime, and .NET Core 3.1 does not have yet.
namespace System.Runtime.CompilerServices { static class IsExternalInit { } }
