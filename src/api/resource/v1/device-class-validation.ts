import { isExtendedResourceName } from "#api/core/v1/resource-name.ts";
import { invalid } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import type { DeviceClass } from "./device-class.ts";
import { validateConfigurations, validateSelectors } from "./device-validation.ts";

/** Source: ValidateDeviceClass in pkg/apis/resource/validation. */
export function* validateDeviceClass({ spec }: DeviceClass): Findings {
  yield* validateSelectors(spec.selectors, "spec.selectors");
  yield* validateConfigurations(spec.config, "spec.config");
  const { extendedResourceName: name } = spec;
  if (name !== undefined && !isExtendedResourceName(name)) {
    yield invalid("spec.extendedResourceName", name, "must be a valid extended resource name");
  }
}
