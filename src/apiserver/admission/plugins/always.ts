import type { AdmissionPlugin } from "../admission.ts";
import { forbid } from "../request.ts";

/** Has no meaning; upstream keeps it for old command lines. Source: plugin/pkg/admission/admit. */
export const alwaysAdmit: AdmissionPlugin = { name: "AlwaysAdmit", mutate: () => undefined, validate: () => undefined };

/** For tests of clusters. Source: plugin/pkg/admission/deny. */
export const alwaysDeny: AdmissionPlugin = {
  name: "AlwaysDeny",
  mutate(request) {
    throw forbid(request, "admission control is denying all modifications");
  },
  validate(request) {
    throw forbid(request, "admission control is denying all modifications");
  },
};
