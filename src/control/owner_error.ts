/** Why an owner's request was not done: `code` is what the owner is told. */
import type { OwnerError } from "../protocol/owner.ts";

export class OwnerRequestError extends Error {
  override name = "OwnerRequestError";
  readonly code: OwnerError;

  constructor(code: OwnerError, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
