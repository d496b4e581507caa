// SPDX-License-Identifier: MIT
/* A field of a form with its label, its note and what the server refused about it. */

import type { ComponentChild } from 'preact';
import type { FieldError } from '../net/api.ts';

interface FieldProps {
  id: string;
  label: string;
  note: string;
  error: string | undefined;
  children(attributes: { id: string; 'aria-describedby': string; 'aria-invalid': boolean }): ComponentChild;
}

export function Field(props: FieldProps) {
  const describedBy = props.error ? `${props.id}-error ${props.id}-note` : `${props.id}-note`;
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      {props.children({ id: props.id, 'aria-describedby': describedBy, 'aria-invalid': props.error !== undefined })}
      {props.error && (
        <p id={`${props.id}-error`} class="field-error">
          {props.error}
        </p>
      )}
      <p id={`${props.id}-note`} class="fine">
        {props.note}
      </p>
    </div>
  );
}

export function errorOf(fields: readonly FieldError[], pointer: string): string | undefined {
  return fields.find((f) => f.pointer === pointer)?.detail;
}
