using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace Pipelines.Web;

/// <summary>
/// The built designer, at the root. It is the same for everybody and holds nothing of anybody's, so it wants no token: what it
/// shows, it asks the API for.
/// </summary>
internal static class DesignerFiles
{
    /// <summary>Its own scripts and styles, pictures that are written into them, and this server.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Where it lies beside the program.</summary>
    public static string Beside { get; } = Path.Combine(AppContext.BaseDirectory, "designer");

    /// <param name="folder">One without a designer is served as nothing.</param>
    public static void Use(IApplicationBuilder app, string folder)
    {
        if (!File.Exists(Path.Combine(folder, "index.html")))
            return;
        var files = new PhysicalFileProvider(folder);
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files });
        app.UseStaticFiles(new StaticFileOptions { FileProvider = files, OnPrepareResponse = Prepare });
    }

    private static void Prepare(StaticFileResponseContext context)
    {
        var headers = context.Context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        // The name of what lies in assets/ has a hash of its content.
        headers.CacheControl = context.Context.Request.Path.StartsWithSegments("/assets", StringComparison.Ordinal)
            ? "public, max-age=31536000, immutable"
            : "no-cache";
    }
}
