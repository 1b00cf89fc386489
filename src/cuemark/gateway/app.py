"""The gateway, put together."""

import functools

from litestar import Litestar, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.response import Response

from cuemark.gateway import access, errors
from cuemark.gateway.door import Door
from cuemark.gateway.openapi import openapi_document
from cuemark.gateway.parts import AnyRequest, GatewayParts
from cuemark.gateway.routes import (
    artworks,
    billing,
    devices,
    experiments,
    export,
    factors,
    fill,
    fraud,
    functions,
    jobs,
    keys,
    login,
    marks,
    master_keys,
    media,
    members,
    metadata,
    network,
    operations,
    operators,
    plays,
    profiles,
    rights,
    rollouts,
    search,
    service,
    staff,
    steering,
    titles,
    traffic,
    uploads,
    viewing,
    works,
)
from cuemark.gateway.views import API
from cuemark.kit.errors import NoRoom, Refusal, Unavailable

MAX_BODY_BYTES = 64 * 1024

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    service.get_health,
    service.get_service,
    service.get_me,
    service.get_page,
    login.log_in,
    login.redeem_link,
    login.log_out,
    factors.give_factor,
    factors.ask_passkey,
    factors.log_in_by_passkey,
    factors.list_factors,
    factors.ask_proof,
    factors.prove,
    factors.begin_totp,
    factors.confirm_totp,
    factors.remove_totp,
    factors.renew_recovery_codes,
    factors.begin_passkey,
    factors.add_passkey,
    factors.rename_passkey,
    factors.remove_passkey,
    members.sign_up,
    members.complete_sign_up,
    members.request_login_letter,
    members.request_reset,
    members.complete_reset,
    members.change_password,
    members.change_email,
    members.confirm_email,
    members.restore_email,
    members.list_logins,
    members.end_login,
    members.end_other_logins,
    members.delete_account,
    profiles.list_profiles,
    profiles.create_profile,
    profiles.change_profile,
    profiles.delete_profile,
    profiles.choose_profile,
    export.export_account,
    devices.authorize_device,
    devices.poll_device,
    devices.look_up_device,
    devices.answer_device,
    titles.list_titles,
    titles.get_title,
    titles.get_artwork,
    artworks.list_artworks,
    artworks.get_candidate,
    artworks.choose_artwork,
    titles.list_continue_watching,
    viewing.list_history,
    viewing.clear_history,
    viewing.remove_from_history,
    viewing.list_my_list,
    viewing.add_to_my_list,
    viewing.remove_from_my_list,
    viewing.list_ratings,
    viewing.rate,
    viewing.remove_rating,
    viewing.describe_standing,
    viewing.export_changes,
    viewing.apply_changes,
    titles.create_title,
    titles.set_launch,
    rights.list_rights,
    rights.set_all_rights,
    rights.get_rights,
    rights.set_rights,
    rights.undo_rights,
    rights.decide,
    works.list_works,
    works.get_work,
    works.get_schema_org,
    works.get_work_artwork,
    works.get_details,
    works.create_work,
    works.describe_work,
    works.place_work,
    works.remove_work,
    works.undo_work,
    search.search,
    search.suggest,
    search.find_like,
    search.get_index,
    search.rebuild_index,
    metadata.list_people,
    metadata.create_person,
    metadata.put_person,
    metadata.remove_person,
    metadata.list_terms,
    metadata.put_term,
    metadata.remove_term,
    metadata.export_metadata,
    metadata.import_metadata,
    plays.start_play,
    plays.list_devices,
    media.get_media,
    plays.get_dash,
    plays.get_hls,
    plays.get_licence,
    plays.forward_challenge,
    plays.get_key,
    plays.record_progress,
    plays.end_play,
    steering.steer,
    uploads.open_upload,
    uploads.get_upload,
    uploads.append_bytes,
    uploads.complete_upload,
    jobs.ingest,
    jobs.get_job,
    jobs.list_jobs,
    jobs.set_priority,
    jobs.cancel_job,
    jobs.retry_job,
    jobs.list_job_events,
    jobs.get_farm,
    jobs.get_version,
    jobs.get_report,
    jobs.get_report_data,
    marks.find_mark,
    marks.get_mark_search,
    functions.list_functions,
    functions.switch_function,
    functions.list_runs,
    functions.get_run,
    functions.retry_run,
    keys.exchange_keys,
    keys.list_key_ids,
    operators.create_account,
    operators.log_account_out,
    factors.reset_factors,
    operators.issue_login_link,
    operators.list_appliances,
    steering.set_draining,
    master_keys.list_master_keys,
    master_keys.rotate_master_key,
    master_keys.retire_master_key,
    rollouts.start_rollout,
    rollouts.get_rollout,
    rollouts.change_rollout,
    operators.list_plays,
    operators.stop_play,
    network.list_routes,
    network.explain_route,
    fill.get_plan,
    fill.make_plan,
    fill.explain_title,
    fill.explain_track,
    traffic.get_traffic,
    traffic.list_lines,
    billing.list_plans,
    billing.add_test_card,
    billing.subscribe,
    billing.get_subscription,
    billing.get_entitlement,
    billing.preview_invoice,
    billing.change_plan,
    billing.change_subscription,
    billing.replace_card,
    billing.list_invoices,
    billing.get_invoice,
    billing.show_invoice,
    billing.take_webhook,
    billing.put_plan,
    billing.list_taxes,
    billing.put_tax,
    billing.put_coupon,
    billing.refund_invoice,
    billing.list_invoices_of,
    billing.get_ledger,
    billing.advance_clock,
    experiments.list_experiments,
    experiments.put_experiment,
    experiments.stop_experiment,
    fraud.list_findings,
    fraud.explain_account,
    fraud.forgive_account,
    fraud.list_own_findings,
    staff.list_staff,
    staff.add_staff,
    staff.set_staff_role,
    staff.remove_staff,
    staff.issue_staff_token,
    staff.end_staff_logins,
    staff.issue_staff_link,
    staff.list_acts,
    staff.verify_acts,
    operators.list_errors,
    operators.issue_operator_link,
    operations.get_operations,
    operations.get_version_report,
    operations.get_acts,
    operations.get_trace,
    operations.get_operator_login,
    operations.redeem_operator_link,
    operations.log_operator_out,
    operations.get_operations_asset,
)


class JsonRequest(AnyRequest):
    """A request whose JSON is refused as malformed where the framework would fall over it."""

    async def json(self) -> object:
        try:
            return await super().json()
        except (UnicodeDecodeError, RecursionError) as error:
            raise errors.MalformedRequest("The body is no JSON that can be read.") from error


def build_gateway(parts: GatewayParts) -> Door:
    """The ASGI application of the API and the page; raises ``RouteWithoutAccess`` and
    ``RouteWithoutLimit``."""
    return Door(build_routes(parts), parts.clock)


def build_routes(parts: GatewayParts, *more: HTTPRouteHandler) -> Litestar:
    """The routes behind the door; raises ``RouteWithoutAccess`` where one declares no access, and
    ``RouteWithoutLimit`` where anyone may write to one that declares no limit."""
    dependencies = {"parts": Provide(lambda: parts, sync_to_thread=False)}
    describe = functools.cache(lambda: openapi_document(parts.service_name, HANDLERS, dependencies))

    @get(
        f"{API}/openapi.json",
        opt={"access": "operator", "staff": "reference.read"},
        include_in_schema=False,
    )
    async def get_openapi() -> Response[bytes]:
        return Response(describe(), media_type="application/json")

    app = Litestar(
        [*HANDLERS, get_openapi, *more],
        openapi_config=None,
        logging_config=None,
        request_class=JsonRequest,
        request_max_body_size=MAX_BODY_BYTES,
        middleware=[DefineMiddleware(access.Authentication, parts=parts)],
        guards=[access.guard_with(parts.office, parts.clock)],
        dependencies=dependencies,
        exception_handlers={
            Refusal: errors.answer_refusal,
            NoRoom: errors.answer_no_room,
            Unavailable: errors.answer_unavailable,
            OSError: errors.answer_system_error,
            HTTPException: errors.answer_http,
            Exception: errors.answer_unknown,
        },
    )
    for method, _, handler in access.routes_of(app):
        access.action_of(handler)
        access.limit_of(handler, method)
        access.profiles_of(handler)
        access.assurance_of(handler)
    return app
