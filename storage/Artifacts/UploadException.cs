namespace Pipelines.Storage.Artifacts;

internal enum UploadFault
{
    /// <summary>There is no such upload, or no such file in it; it may have been idle for too long.</summary>
    Unknown,

    /// <summary>The list or the piece makes no sense.</summary>
    Invalid,

    /// <summary>The piece does not begin where the file ends, or another one is being written.</summary>
    OutOfPlace,

    TooLarge,

    DiskFull,

    TooMany,

    /// <summary>A file is not what its list says.</summary>
    Damaged,
}

/// <summary>An upload that is refused, and why.</summary>
internal sealed class UploadException(UploadFault fault, string message) : Exception(message)
{
    public UploadFault Fault => fault;
}
