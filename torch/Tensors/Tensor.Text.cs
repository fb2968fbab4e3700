using System.Globalization;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Shape, dtype and device: <c>[2,3] float32 cpu</c>.</summary>
        public override string ToString() => IsInvalid
            ? "disposed tensor"
            : $"[{string.Join(',', shape)}] {dtype.Name()} {device}";

        /// <summary>The elements too, nested as in PyTorch; meant for small tensors.</summary>
        public string ToString(bool disamb) => disamb && !IsInvalid ? $"{this} {Elements()}" : ToString();

        private string Elements()
        {
            if (ndim > 0)
            {
                var rows = unbind();
                var text = string.Join(", ", rows.Select(row => row.Elements()));
                Array.ForEach(rows, row => row.Dispose());
                return $"[{text}]";
            }

            return Convert.ToString(Only(), CultureInfo.InvariantCulture)!;
        }
    }
}
