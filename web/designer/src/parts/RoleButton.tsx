import type { ComponentProps } from 'react';
import type { Role } from '../api';
import { useRefusal } from '../access/who';

interface Props extends ComponentProps<'button'> {
  needs: Role;
}

/** A button for what not everybody may. Who may not still reaches it, to hear why. */
export function RoleButton({ needs, title, onClick, children, ...rest }: Props) {
  const reason = useRefusal(needs);
  if (reason === undefined)
    return (
      <button type="button" title={title} onClick={onClick} {...rest}>
        {children}
      </button>
    );
  return (
    <button
      {...rest}
      type="button"
      form={undefined}
      disabled={false}
      aria-disabled
      title={reason}
      aria-description={reason}
      onClick={(event) => event.preventDefault()}
    >
      {children}
    </button>
  );
}
