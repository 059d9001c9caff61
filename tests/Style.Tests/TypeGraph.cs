using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Doorbell.Tests;

/// <summary>A type as it was compiled: nested types, lambdas and state machines count as the type around them.</summary>
/// <param name="Assembly">Its assembly's name.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name, with <c>`1</c> and the like if it is generic.</param>
internal sealed record CompiledType(string Assembly, string Namespace, string Name)
{
    /// <summary>The folder of its file below src, as in <c>Doorbell/Lanes/Loops</c>; null if the compiler made it.</summary>
    public string? Folder { get; set; }

    /// <summary>Whether other assemblies may use it.</summary>
    public bool IsPublic { get; set; }

    public override string ToString() => Name;

    public bool Equals(CompiledType? other) =>
        other is not null && (Assembly, Namespace, Name) == (other.Assembly, other.Namespace, other.Name);

    public override int GetHashCode() => HashCode.Combine(Assembly, Namespace, Name);
}

/// <summary>
/// Which of our types names which, read from the compiled assemblies and their debug information: signatures, fields and code.
/// </summary>
internal sealed class TypeGraph
{
    private static readonly Dictionary<int, OpCode> _opCodes = typeof(OpCodes).GetFields()
        .Select(static field => (OpCode)field.GetValue(null)!).ToDictionary(static code => (int)(ushort)code.Value);

    private static readonly Guid _typeDefinitionDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly Dictionary<(string Assembly, string FullName), CompiledType> _types = [];

    /// <summary>Every edge, with the first file and line where it stands.</summary>
    public Dictionary<(CompiledType From, CompiledType To), string> Edges { get; } = [];

    /// <summary>All types that have a file.</summary>
    public IEnumerable<CompiledType> Types => _types.Values.Where(static type => type.Folder is not null);

    /// <summary>Reads assemblies that stand beside the tests.</summary>
    public static TypeGraph Read(IReadOnlyList<string> assemblies)
    {
        TypeGraph graph = new();
        Reading[] readings = [.. assemblies.Select(name => new Reading(name, graph))];
        Array.ForEach(readings, static reading => reading.ReadTypes());
        Array.ForEach(readings, static reading => reading.ReadEdges());
        Array.ForEach(readings, static reading => reading.Dispose());
        return graph;
    }

    /// <summary>Groups of types that name each other in a circle, each of two types or more.</summary>
    public List<List<CompiledType>> Cycles()
    {
        ILookup<CompiledType, CompiledType> next = Edges.Keys.ToLookup(static edge => edge.From, static edge => edge.To);
        Dictionary<CompiledType, (int Index, int Low)> seen = [];
        Stack<CompiledType> open = new();
        HashSet<CompiledType> isOpen = [];
        List<List<CompiledType>> cycles = [];
        foreach (CompiledType type in Types.Where(type => !seen.ContainsKey(type)).ToArray())
        {
            Visit(type);
        }

        return cycles;

        // Tarjan's strongly connected components.
        void Visit(CompiledType type)
        {
            if (seen.ContainsKey(type))
            {
                return;
            }

            int index = seen.Count;
            int low = index;
            seen[type] = (index, low);
            open.Push(type);
            isOpen.Add(type);
            foreach (CompiledType to in next[type])
            {
                Visit(to);
                low = isOpen.Contains(to) ? Math.Min(low, seen[to].Low) : low;
            }

            seen[type] = (index, low);
            if (low == index)
            {
                List<CompiledType> group = [];
                CompiledType member;
                do
                {
                    member = open.Pop();
                    isOpen.Remove(member);
                    group.Add(member);
                }
                while (member != type);

                if (group.Count > 1)
                {
                    cycles.Add(group);
                }
            }
        }
    }

    /// <summary>One assembly being read.</summary>
    private sealed class Reading : IDisposable
    {
        private readonly string _assembly;
        private readonly TypeGraph _graph;
        private readonly PEReader _file;
        private readonly MetadataReader _metadata;
        private readonly MetadataReader _debug;

        public Reading(string assembly, TypeGraph graph)
        {
            _assembly = assembly;
            _graph = graph;
            _file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly + ".dll")));
            _metadata = _file.GetMetadataReader();
            DebugDirectoryEntry embedded = _file.ReadDebugDirectory()
                .Single(static entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
            _debug = _file.ReadEmbeddedPortablePdbDebugDirectoryData(embedded).GetMetadataReader();
        }

        public void Dispose() => _file.Dispose();

        public void ReadTypes()
        {
            foreach (TypeDefinitionHandle handle in _metadata.TypeDefinitions)
            {
                TypeDefinition type = _metadata.GetTypeDefinition(handle);
                string? file = FileOf(handle, type);
                CompiledType top = Top(handle);
                top.Folder ??= file is null ? null : FolderOf(file);
                if (!type.IsNested)
                {
                    top.IsPublic = (type.Attributes & System.Reflection.TypeAttributes.Public) != 0;
                }
            }
        }

        public void ReadEdges()
        {
            foreach (TypeDefinitionHandle handle in _metadata.TypeDefinitions)
            {
                TypeDefinition type = _metadata.GetTypeDefinition(handle);
                CompiledType from = Top(handle);
                string at = Place(FileOf(handle, type), 1);
                Edge(from, type.BaseType, at);
                foreach (InterfaceImplementationHandle implemented in type.GetInterfaceImplementations())
                {
                    Edge(from, _metadata.GetInterfaceImplementation(implemented).Interface, at);
                }

                foreach (FieldDefinitionHandle field in type.GetFields())
                {
                    _metadata.GetFieldDefinition(field).DecodeSignature(new Names(this, from, at), null);
                }

                foreach (MethodDefinitionHandle method in type.GetMethods())
                {
                    ReadMethod(from, method, at);
                }
            }
        }

        private void ReadMethod(CompiledType from, MethodDefinitionHandle handle, string at)
        {
            MethodDefinition method = _metadata.GetMethodDefinition(handle);
            SequencePoint[] points = [.. _debug.GetMethodDebugInformation(handle.ToDebugInformationHandle()).GetSequencePoints()
                .Where(static point => !point.IsHidden)];
            at = points.Length > 0 ? At(points[0]) : at;
            method.DecodeSignature(new Names(this, from, at), null);
            if (method.RelativeVirtualAddress == 0)
            {
                return;
            }

            MethodBodyBlock body = _file.GetMethodBody(method.RelativeVirtualAddress);
            if (!body.LocalSignature.IsNil)
            {
                _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(new Names(this, from, at), null);
            }

            BlobReader code = body.GetILReader();
            while (code.RemainingBytes > 0)
            {
                int offset = code.Offset;
                int value = code.ReadByte();
                OpCode operation = _opCodes[value == 0xfe ? 0xfe00 | code.ReadByte() : value];
                int token = ReadOperand(ref code, operation);
                if (token != 0)
                {
                    SequencePoint line = points.LastOrDefault(point => point.Offset <= offset);
                    Edge(from, MetadataTokens.EntityHandle(token), line.Document.IsNil ? at : At(line));
                }
            }
        }

        /// <summary>The token of a type, a method or a field; 0 for any other operand, which is skipped.</summary>
        private static int ReadOperand(ref BlobReader code, OpCode operation)
        {
            switch (operation.OperandType)
            {
                case OperandType.InlineType or OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok:
                    return code.ReadInt32();
                case OperandType.InlineSwitch:
                    int targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.Offset += 8;
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    code.Offset += 2;
                    break;
                default:
                    code.Offset += 4;
                    break;
            }

            return 0;
        }

        private void Edge(CompiledType from, EntityHandle to, string at)
        {
            switch (to.Kind)
            {
                case HandleKind.TypeDefinition when to.IsNil:
                    break; // System.Object and interfaces have no base
                case HandleKind.TypeDefinition:
                    Edge(from, Top((TypeDefinitionHandle)to), at);
                    break;
                case HandleKind.TypeReference:
                    Edge(from, Top((TypeReferenceHandle)to), at);
                    break;
                case HandleKind.TypeSpecification:
                    _metadata.GetTypeSpecification((TypeSpecificationHandle)to).DecodeSignature(new Names(this, from, at), null);
                    break;
                case HandleKind.MethodDefinition:
                    Edge(from, Top(_metadata.GetMethodDefinition((MethodDefinitionHandle)to).GetDeclaringType()), at);
                    break;
                case HandleKind.FieldDefinition:
                    Edge(from, Top(_metadata.GetFieldDefinition((FieldDefinitionHandle)to).GetDeclaringType()), at);
                    break;
                case HandleKind.MemberReference:
                    Edge(from, _metadata.GetMemberReference((MemberReferenceHandle)to).Parent, at);
                    break;
                case HandleKind.MethodSpecification:
                    MethodSpecification generic = _metadata.GetMethodSpecification((MethodSpecificationHandle)to);
                    generic.DecodeSignature(new Names(this, from, at), null);
                    Edge(from, generic.Method, at);
                    break;
            }
        }

        private void Edge(CompiledType from, CompiledType? to, string at)
        {
            if (to?.Folder is not null && from.Folder is not null && to != from)
            {
                _graph.Edges.TryAdd((from, to), at);
            }
        }

        private CompiledType Top(TypeDefinitionHandle handle)
        {
            TypeDefinition type = _metadata.GetTypeDefinition(handle);
            return type.IsNested
                ? Top(type.GetDeclaringType())
                : Find(_assembly, _metadata.GetString(type.Namespace), _metadata.GetString(type.Name), isOurs: true)!;
        }

        private CompiledType? Top(TypeReferenceHandle handle)
        {
            TypeReference type = _metadata.GetTypeReference(handle);
            return type.ResolutionScope.Kind switch
            {
                HandleKind.TypeReference => Top((TypeReferenceHandle)type.ResolutionScope),
                HandleKind.AssemblyReference => Find(
                    _metadata.GetString(_metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name),
                    _metadata.GetString(type.Namespace),
                    _metadata.GetString(type.Name),
                    isOurs: false),
                _ => null,
            };
        }

        private CompiledType? Find(string assembly, string space, string name, bool isOurs)
        {
            (string, string) key = (assembly, $"{space}.{name}");
            if (!_graph._types.TryGetValue(key, out CompiledType? type) && isOurs)
            {
                _graph._types[key] = type = new CompiledType(assembly, space, name);
            }

            return type;
        }

        /// <summary>Of its first line of code, or, of a type without code, what the compiler notes for it.</summary>
        private string? FileOf(TypeDefinitionHandle handle, TypeDefinition type)
        {
            DocumentHandle document = type.GetMethods()
                .Select(method => _debug.GetMethodDebugInformation(method.ToDebugInformationHandle()).Document)
                .FirstOrDefault(static document => !document.IsNil);
            if (document.IsNil)
            {
                document = type.GetMethods()
                    .SelectMany(method => _debug.GetMethodDebugInformation(method.ToDebugInformationHandle()).GetSequencePoints())
                    .Select(static point => point.Document).FirstOrDefault(static each => !each.IsNil);
            }

            if (document.IsNil)
            {
                foreach (CustomDebugInformationHandle noted in _debug.GetCustomDebugInformation(handle))
                {
                    CustomDebugInformation information = _debug.GetCustomDebugInformation(noted);
                    if (_debug.GetGuid(information.Kind) == _typeDefinitionDocuments)
                    {
                        document = MetadataTokens.DocumentHandle(_debug.GetBlobReader(information.Value).ReadCompressedInteger());
                    }
                }
            }

            string? file = document.IsNil ? null : _debug.GetString(_debug.GetDocument(document).Name);
            return file is null || file.Contains("/obj/", StringComparison.Ordinal) ? null : file;
        }

        private string At(SequencePoint point) => Place(_debug.GetString(_debug.GetDocument(point.Document).Name), point.StartLine);

        private static string Place(string? file, int line) =>
            file is null ? "" : $"{file[(file.LastIndexOf("/src/", StringComparison.Ordinal) + 1)..]}:{line}";

        private static string FolderOf(string file)
        {
            string below = file[(file.LastIndexOf("/src/", StringComparison.Ordinal) + 5)..];
            return below[..below.LastIndexOf('/')];
        }

        /// <summary>Notes each type that a signature names.</summary>
        private sealed class Names(Reading reading, CompiledType from, string at) : ISignatureTypeProvider<int, object?>
        {
            public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Note(handle);

            public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => Note(handle);

            public int GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte kind) =>
                Note(handle);

            public int GetArrayType(int elementType, ArrayShape shape) => 0;

            public int GetByReferenceType(int elementType) => 0;

            public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

            public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;

            public int GetGenericMethodParameter(object? genericContext, int index) => 0;

            public int GetGenericTypeParameter(object? genericContext, int index) => 0;

            public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

            public int GetPinnedType(int elementType) => 0;

            public int GetPointerType(int elementType) => 0;

            public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

            public int GetSZArrayType(int elementType) => 0;

            private int Note(EntityHandle handle)
            {
                reading.Edge(from, handle, at);
                return 0;
            }
        }
    }
}
