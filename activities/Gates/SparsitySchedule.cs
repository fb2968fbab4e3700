namespace Pipelines.Activities.Gates;

/// <summary>
/// The sparsity to have at each step (Zhu and Gupta, arXiv:1710.01878, equation 1, with LoRAPrune's rests at both ends):
/// <c>s_f + (s_i − s_f)(1 − (t − t_w) / (T − t_w − t_c))^p</c>, fast at first where little is lost.
/// </summary>
/// <param name="Initial">s_i, kept during the first <paramref name="WarmUp"/> steps.</param>
/// <param name="Final">s_f, kept during the last <paramref name="CoolDown"/> steps.</param>
/// <param name="Steps">T.</param>
/// <param name="WarmUp">t_w.</param>
/// <param name="CoolDown">t_c.</param>
/// <param name="Power">p: 3 is the cubic schedule, 1 the linear one.</param>
public readonly record struct SparsitySchedule(
    double Initial, double Final, int Steps, int WarmUp = 0, int CoolDown = 0, double Power = 3)
{
    /// <param name="step">From 0 on; beyond the end it stays at the final one.</param>
    public double At(int step)
    {
        var rising = Steps - WarmUp - CoolDown;
        if (step >= WarmUp + rising)
            return Final;
        var left = step <= WarmUp ? 1 : 1 - (double)(step - WarmUp) / rising;
        return Final + (Initial - Final) * Math.Pow(left, Power);
    }
}
