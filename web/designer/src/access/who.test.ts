import { expect, it } from 'vitest';
import { refusal } from './who';

it.each([
  ['viewer', 'viewer', undefined],
  ['viewer', 'operator', 'This needs the role operator; yours is viewer'],
  ['operator', 'operator', undefined],
  ['operator', 'admin', 'This needs the role admin; yours is operator'],
  ['admin', 'admin', undefined],
] as const)('tells a %s what needs the role %s', (role, needs, said) =>
  expect(refusal({ name: 'eva', role, local: false }, needs)).toBe(said),
);

it('holds nothing back while it is not known who asks', () => expect(refusal(undefined, 'admin')).toBeUndefined());
