import { Frame, scalesOf } from '../charts/Frame';
import { useWidth } from '../hooks/useWidth';
import { surety, type Reliability } from './classes';
import { share } from './scores';

const whole = { from: 0, to: 1 };
const height = 200;

/** How often a classifier is right where it is so sure; on the line it is as sure as it is right. */
export function ReliabilityPlot({ of }: { of: Reliability }) {
  const [box, width] = useWidth<HTMLDivElement>(320);
  const { x, y } = scalesOf(width, height, whole, whole);
  const said = of.bins.map((bin) => `${share(bin.accuracy)} right at ${share(bin.confidence)}`);
  return (
    <figure className="plot reliability">
      <figcaption>
        <strong>{of.model}</strong>
        <span className="hint">{surety(of)}</span>
      </figcaption>
      <div ref={box}>
        <Frame
          width={width}
          height={height}
          xs={whole}
          ys={whole}
          label={`Accuracy against confidence of ${of.model}: ${said.join('; ')}`}
        >
          <path className="curve old" d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} />
          {of.bins.map((bin, index) => (
            <circle
              key={index}
              className="dot-mark sure"
              cx={x(bin.confidence)}
              cy={y(bin.accuracy)}
              r={2.5 + 7 * Math.sqrt(bin.share)}
            >
              <title>{`${said[index]}, ${share(bin.share)} of the images`}</title>
            </circle>
          ))}
        </Frame>
      </div>
    </figure>
  );
}
